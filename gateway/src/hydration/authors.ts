import type { PrismaClient } from '@stratos/prisma';
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
export function createAuthorLoader(prisma: PrismaClient): AuthorLoader {
  return new DataLoader(async (dids) => {
    const actors = await prisma.actor.findMany({
      where: { did: { in: [...dids] } },
      select: { did: true, handle: true, active: true },
    });
    const authors = new Map<string, Author>(
      actors.map(({ did, handle, active }) => [did, { handle: handle ?? UNKNOWN.handle, active }]),
    );
    return dids.map((did) => authors.get(did) ?? UNKNOWN);
  });
}
