import type { AtUri } from '@stratos/protocol';
import DataLoader from 'dataloader';
import type { ScopedRead } from '../access/scope.ts';
import { repliesSkeleton } from '../feeds/replies.ts';
import type { Slice } from '../feeds/skeleton.ts';
import { readPosts } from '../hydration/posts.ts';
import type { Found } from './found.ts';

/** Loads replies for one request. The same slice of the replies to many posts is read at once. */
export class ReplyLoaders {
  readonly #read: ScopedRead;
  readonly #bySlice = new Map<string, DataLoader<AtUri, Found>>();

  constructor(read: ScopedRead) {
    this.#read = read;
  }

  load(uri: AtUri, slice: Slice): Promise<Found> {
    const key = JSON.stringify(slice);
    const loader = this.#bySlice.get(key) ?? this.#loaderOf(slice);
    this.#bySlice.set(key, loader);
    return loader.load(uri);
  }

  #loaderOf(slice: Slice): DataLoader<AtUri, Found> {
    return new DataLoader((uris) =>
      this.#read(async (transaction, scope) => {
        const replies = await repliesSkeleton(transaction, scope, uris, slice);
        const stored = await readPosts(transaction, replies);
        const bySubject = Map.groupBy(stored, (_, place) => replies[place]?.subject);
        return uris.map((uri) => ({ scope, posts: bySubject.get(uri) ?? [] }));
      }),
    );
  }
}
