import { Client } from 'pg';

export interface Statement {
  text: string;
  values: unknown[];
}

/** Keeps what this process sends to Postgres, as the driver gets it. */
export class Statements implements Disposable {
  readonly sent: Statement[] = [];
  readonly #query = Client.prototype.query;

  constructor() {
    const { sent } = this;
    const query = this.#query as (...args: unknown[]) => unknown;
    Client.prototype.query = function (this: Client, ...args: unknown[]) {
      const [first, second] = args;
      if (typeof first === 'string') sent.push({ text: first, values: asValues(second) });
      else if (isStatement(first)) {
        sent.push({ text: first.text, values: asValues(first.values ?? second) });
      }
      return query.apply(this, args);
    } as typeof Client.prototype.query;
  }

  [Symbol.dispose](): void {
    Client.prototype.query = this.#query;
  }
}

function isStatement(value: unknown): value is { text: string; values?: unknown } {
  return typeof value === 'object' && value !== null && 'text' in value;
}

function asValues(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
