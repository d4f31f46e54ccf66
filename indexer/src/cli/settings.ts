import { createPrismaClient } from '@stratos/prisma';
import { type Did, isDid } from '@stratos/protocol';
import { CliError } from '@stratos/protocol/cli';
import { parseEnvironment, postgresUrl } from '@stratos/protocol/environment';
import { type Command, InvalidArgumentError } from 'commander';
import { z } from 'zod';
import type { Database } from '../database.ts';

/** What the largest statement of a command may take. */
const STATEMENT_TIMEOUT_MS = 10 * 60_000;

const variables = z.object({ DATABASE_URL: postgresUrl });

/**
 * Works on the database of the environment. Throws {@link CliError} when it does not answer, is not that
 * of an AppView, or refuses something.
 */
export async function withDatabase<T>(work: (db: Database) => Promise<T>): Promise<T> {
  const { DATABASE_URL: url } = parseEnvironment(variables, process.env);
  const db = createPrismaClient(url, { poolSize: 4, statementTimeoutMs: STATEMENT_TIMEOUT_MS });
  try {
    await checkTables(db);
    return await work(db);
  } catch (cause) {
    throw withoutValues(cause);
  } finally {
    await db.$disconnect();
  }
}

async function checkTables(db: Database): Promise<void> {
  const [found] = await db.$queryRaw<{ is_there: boolean }[]>`
    select to_regclass('stratos_change') is not null as is_there`.catch((cause) => {
    throw new CliError('the database does not answer', { cause });
  });
  if (!found?.is_there) {
    throw new CliError('the database is not of this version: start the indexer, which migrates it');
  }
}

/** What a database error says may quote content. */
function withoutValues(error: unknown): unknown {
  if (!(error instanceof Error) || !error.name.startsWith('PrismaClient')) return error;
  const code = 'code' in error && typeof error.code === 'string' ? ` (${error.code})` : '';
  return new CliError(`the database fails${code}`, { cause: error });
}

export function wantsJson(command: Command): boolean {
  return command.optsWithGlobals<{ json?: boolean }>().json === true;
}

/** For options and arguments that are a DID. */
export function parseDid(value: string): Did {
  if (!isDid(value)) throw new InvalidArgumentError('It must be a DID.');
  return value;
}

/** For those that are a number above zero. */
export function parseCount(value: string): number {
  const count = Number(value);
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new InvalidArgumentError('It must be a whole number above zero.');
  }
  return count;
}

/** For those that are days. */
export function parseDays(value: string): number {
  const days = Number(value);
  if (!(days >= 0)) throw new InvalidArgumentError('It must be a number of days.');
  return days;
}
