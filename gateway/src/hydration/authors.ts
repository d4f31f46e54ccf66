import { Prisma } from '@stratos/prisma';
import type { Transaction } from '@stratos/prisma/queries';
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
    const actors = await database.$queryRaw<
      { did: string; handle: string | null; active: boolean }[]
    >(
      Prisma.sql`select did, handle, active from stratos_actor where did = any(${[...dids]}::text[])`,
    );
    const authors = new Map<string, Author>(
      actors.map(({ did, handle, active }) => [did, { handle: handle ?? UNKNOWN.handle, active }]),
    );
    return dids.map((did) => authors.get(did) ?? UNKNOWN);
  });
}
