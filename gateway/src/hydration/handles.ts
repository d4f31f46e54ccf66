import type { PrismaClient } from '@stratos/prisma';
import type { Did } from '@stratos/protocol';
import DataLoader from 'dataloader';

/** What stands for a handle while none is verified. */
export const NO_HANDLE = 'handle.invalid';

export type HandleLoader = DataLoader<Did, string>;

/** Loads the handles of actors for one request. */
export function createHandleLoader(prisma: PrismaClient): HandleLoader {
  return new DataLoader(async (dids) => {
    const actors = await prisma.actor.findMany({
      where: { did: { in: [...dids] } },
      select: { did: true, handle: true },
    });
    const handles = new Map(actors.map(({ did, handle }) => [did, handle]));
    return dids.map((did) => handles.get(did) ?? NO_HANDLE);
  });
}
