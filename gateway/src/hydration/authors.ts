import { Prisma } from '@stratos/prisma';
import type { AuthorRow, Transaction } from '@stratos/prisma/queries';
import type { Did } from '@stratos/protocol';
import DataLoader from 'dataloader';

/** What is known of an account, to be shown and decided by. */
export interface Author {
  /** `handle.invalid` while none is verified. */
  handle: string;
  /** False while the account is deactivated, taken down or deleted. */
  active: boolean;
}

export type AuthorLoader = DataLoader<Did, Author>;

const UNKNOWN: Author = { handle: 'handle.invalid', active: true };

/** Loads accounts for one request. */
export function createAuthorLoader(database: Transaction): AuthorLoader {
  return new DataLoader(async (dids) => {
    const actors = await database.$queryRaw<({ did: string } & AuthorRow)[]>(
      Prisma.sql`select did, handle, active from stratos_actor where did = any(${[...dids]}::text[])`,
    );
    const authors = new Map<string, Author>(actors.map((row) => [row.did, authorOf(row)]));
    return dids.map((did) => authors.get(did) ?? UNKNOWN);
  });
}

/** What a row says of an account, and what is taken for granted of one that is not known. */
export function authorOf({ handle, active }: AuthorRow): Author {
  return { handle: handle ?? UNKNOWN.handle, active: active ?? UNKNOWN.active };
}
