import { countingRecords, stubsAhead } from '@stratos/prisma/queries';
import { type AtUri, parseAtUri } from '@stratos/protocol';
import type { PostView, Visible } from '@stratos/schema';
import DataLoader from 'dataloader';
import { revealPost } from '../access/reveal.ts';
import type { ScopedRead } from '../access/scope.ts';
import type { AuthorLoader } from '../hydration/authors.ts';
import type { ProvenRecords } from '../hydration/nodes/proven-records.ts';
import type { Logger } from '../logger.ts';

/** The posts that the stubs at an address point to, as far as the viewer may see them: one at most. */
export type AheadLoader = DataLoader<AtUri, Visible<PostView>[]>;

export interface AheadLoaderOptions {
  authors: AuthorLoader;
  records: ProvenRecords;
  logger: Logger;
}

/**
 * Loads posts whose stubs are known before the index has their content: at most one of each address. Which nodes
 * are asked, and what is verified of their answers, depends on what is public and on the nodes of the scope; only
 * then, in a scope of that moment, is it found out what the viewer may see.
 */
export function createAheadLoader(
  read: ScopedRead,
  { authors, records, logger }: AheadLoaderOptions,
): AheadLoader {
  return new DataLoader(async (uris) => {
    const stubs = await read((transaction) => stubsAhead(transaction, uris));
    const found = await records.load(stubs);
    const proven = stubs.flatMap(({ uri, node, seenAt }, place) => {
      const record = found[place];
      if (record && 'value' in record) return [{ ...record.value, indexedAt: seenAt }];
      logger.warn({ uri, node, reason: record?.reason }, 'record of a stub not served');
      return [];
    });
    if (proven.length === 0) return uris.map(() => []);
    const authorsOf = await authors.loadMany(proven.map(({ uri }) => parseAtUri(uri).did));
    const { scope, counting } = await read(async (transaction, scope) => ({
      scope,
      counting: await countingRecords(transaction, proven),
    }));
    const revealed = new Map(
      proven.flatMap((post, place) => {
        const author = authorsOf[place];
        if (!author || author instanceof Error || !counting.has(post.uri)) return [];
        const view = revealPost(scope, post, author);
        return view ? [[post.uri, view] as const] : [];
      }),
    );
    return uris.map((uri) => {
      const view = revealed.get(uri);
      return view ? [view] : [];
    });
  });
}
