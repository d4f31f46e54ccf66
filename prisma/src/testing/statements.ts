import { Client } from 'pg';

/** Statements of one transaction, in their order. */
export type TransactionStatements = string[];

/**
 * What this process asks of any Postgres while something runs, transaction by transaction in the order in
 * which they begin. A statement is told by its first word and the tables that it names, and what is not in a
 * transaction stands alone. What begins, sets up and ends a transaction is left out.
 */
export async function statementsOf(work: () => Promise<unknown>): Promise<TransactionStatements[]> {
  const transactions: TransactionStatements[] = [];
  const running = new Map<unknown, TransactionStatements>();
  const query = Client.prototype.query;
  Client.prototype.query = new Proxy(query, {
    apply(target, client, args) {
      const statement = summaryOf(args[0]);
      const transaction = running.get(client);
      if (statement === 'begin') {
        const begun: TransactionStatements = [];
        running.set(client, begun);
        transactions.push(begun);
      } else if (statement === 'commit' || statement === 'rollback') {
        running.delete(client);
      } else if (!transaction) {
        transactions.push([statement]);
      } else if (statement !== 'set') {
        transaction.push(statement);
      }
      return Reflect.apply(target, client, args);
    },
  });
  try {
    await work();
  } finally {
    Client.prototype.query = query;
  }
  return transactions;
}

function summaryOf(query: unknown): string {
  const text = typeof query === 'string' ? query : textOf(query);
  const [verb = ''] = text.trim().toLowerCase().split(/\s/, 1);
  const tables = [...text.matchAll(/\bstratos_\w+/g)].map(([table]) => table);
  return [verb, [...new Set(tables)].join(', ')].filter(Boolean).join(' ');
}

function textOf(query: unknown): string {
  if (typeof query !== 'object' || query === null || !('text' in query)) return '';
  return String(query.text);
}
