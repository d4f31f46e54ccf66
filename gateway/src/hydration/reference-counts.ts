import { countReferences } from '@stratos/prisma/queries';
import type { AtUri } from '@stratos/protocol';
import { MOST_COUNTED, type PostCounts } from '@stratos/schema';
import DataLoader from 'dataloader';
import type { ScopedRead } from '../access/scope.ts';

export type CountLoader = DataLoader<AtUri, PostCounts>;

/** Counts replies to and quotes of posts for one request, in the boundaries of the viewer's scope. */
export function createCountLoader(read: ScopedRead): CountLoader {
  return new DataLoader((subjects) =>
    read(async (transaction, { boundaries }) => {
      const limit = MOST_COUNTED;
      const counts = await countReferences(transaction, { subjects, boundaries, limit });
      return counts.map(({ replies, quotes }) => ({ replyCount: replies, quoteCount: quotes }));
    }),
  );
}
