import type { SignedIn } from '../account/signed-in.svelte.ts';
import { Feed, type FeedOptions } from './feed.svelte.ts';

const PAGE_SIZE = 20;
/** Searches and profiles that are kept, the newest of them. */
const MOST_KEPT = 12;

/** The feeds that were opened on this page, which stay right while other screens are shown. */
export class Feeds {
  readonly #person: SignedIn;
  readonly #kept = new Map<string, Feed>();

  constructor(person: SignedIn) {
    this.#person = person;
    person.live.listen((event) => {
      for (const feed of this.#kept.values()) feed.take(event);
    });
  }

  timeline(boundary?: string): Feed {
    const { stratos } = this.#person;
    return this.#feed(`timeline ${boundary}`, {
      read: (cursor) =>
        stratos.timeline.query({ boundary, cursor, limit: PAGE_SIZE, counts: true }),
      accepts: (post) => !boundary || post.boundaries.some((each) => each === boundary),
    });
  }

  author(actor: string): Feed {
    const { stratos } = this.#person;
    return this.#feed(`author ${actor}`, {
      read: (cursor) => stratos.authorFeed.query({ actor, cursor, limit: PAGE_SIZE, counts: true }),
      accepts: ({ author }) => author.did === actor || author.handle === actor,
    });
  }

  search(text: string): Feed {
    const { stratos } = this.#person;
    const words = text.toLowerCase().split(/\s+/);
    return this.#feed(`search ${text}`, {
      read: (cursor) => stratos.search.query({ text, cursor, limit: PAGE_SIZE, counts: true }),
      accepts: (post) => words.every((word) => post.text.toLowerCase().includes(word)),
    });
  }

  #feed(key: string, options: Pick<FeedOptions, 'read' | 'accepts'>): Feed {
    const known = this.#kept.get(key);
    const feed = known ?? this.#open(options);
    this.#kept.delete(key);
    this.#kept.set(key, feed);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= MOST_KEPT) break;
      this.#kept.delete(oldest);
    }
    return feed;
  }

  #open(options: Pick<FeedOptions, 'read' | 'accepts'>): Feed {
    const { did: viewer, live } = this.#person;
    const feed = new Feed({ ...options, viewer, opened: live.opened });
    feed.load();
    return feed;
  }
}
