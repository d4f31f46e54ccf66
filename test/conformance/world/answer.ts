import assert from 'node:assert/strict';
import { lexParse } from '@atproto/lex-json';

/** An answer of a node over HTTP, read to its end. */
export class Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;

  private constructor(status: number, headers: Headers, bytes: Uint8Array) {
    this.status = status;
    this.headers = headers;
    this.bytes = bytes;
  }

  static async of(response: Response): Promise<Answer> {
    const bytes = new Uint8Array(await response.arrayBuffer());
    return new Answer(response.status, response.headers, bytes);
  }

  get text(): string {
    return Buffer.from(this.bytes).toString();
  }

  get contentType(): string {
    return (this.headers.get('content-type') ?? '').split(';')[0] ?? '';
  }

  get json(): Record<string, unknown> {
    return JSON.parse(this.text);
  }

  /** Requires success. The body of a JSON answer, with bytes and links read as such. */
  ok<T>(): T {
    assert.equal(this.status, 200, `expected 200, got ${this.status}: ${this.text.slice(0, 300)}`);
    return lexParse(this.text) as T;
  }

  /** Requires success of an answer that is not JSON. */
  okBytes(contentType: string): Uint8Array {
    assert.equal(this.status, 200, `expected 200, got ${this.status}: ${this.text.slice(0, 300)}`);
    assert.equal(this.contentType, contentType);
    return this.bytes;
  }

  /** Requires this error, in the shape that all errors have. */
  refused(status: number, ...errors: string[]): this {
    const got = `${this.status} ${this.text.slice(0, 300)}`;
    assert.equal(this.status, status, `expected ${status} ${errors.join(' or ')}, got ${got}`);
    const { error, message } = this.json;
    assert.ok(errors.includes(String(error)), `expected ${errors.join(' or ')}, got ${got}`);
    assert.equal(typeof message, 'string');
    return this;
  }
}

/** Headers that differ between two answers that say the same. */
const OF_THE_MOMENT = /^(date|dpop-nonce|ratelimit-.*|x-ratelimit-.*|keep-alive|x-trace-id)$/;

/** Requires that nobody can tell two answers apart: status, headers and every byte. */
export function assertSame(one: Answer, other: Answer): void {
  assert.deepEqual(fingerprint(one), fingerprint(other));
}

function fingerprint({ status, headers, text }: Answer) {
  const lasting = [...headers].filter(([name]) => !OF_THE_MOMENT.test(name));
  return { status, headers: Object.fromEntries(lasting), text };
}
