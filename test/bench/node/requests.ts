import type { LexMap } from '@atproto/lex-data';
import { type AtUri, type Boundary, parseAtUri, toAtUri } from '@stratos/protocol';
import { com, zone } from '@stratos/protocol/lexicons';
import type { Prepared } from '../load.ts';
import type { Person } from '../people.ts';
import type { Credentials } from './credentials.ts';
import { BOUNDARY } from './measured-node.ts';

const collection = zone.stratos.feed.post.$nsid;
export const HYDRATED_AT_ONCE = 100;
export const LISTED_AT_ONCE = 50;
/** The most that one request may write. */
const BATCH = 200;

/** The requests of people who write posts, and read each other's at random. */
export class Requests {
  readonly #credentials: Credentials;
  readonly #actors: readonly Person[];
  /** Somebody who has written a lot. */
  readonly #archivist: Person;
  readonly #written: AtUri[] = [];

  constructor(credentials: Credentials, actors: readonly Person[], archivist: Person) {
    this.#credentials = credentials;
    this.#actors = actors;
    this.#archivist = archivist;
  }

  /** To be called before each lot of requests is prepared. */
  async refresh(): Promise<void> {
    await this.#credentials.refresh([...this.#actors, this.#archivist]);
  }

  async createRecord(): Promise<Prepared> {
    const author = oneOf(this.#actors);
    const body = { repo: author.did, collection, record: post(BOUNDARY) };
    return {
      ...(await this.#procedure(author, com.atproto.repo.createRecord.$nsid, body)),
      onAnswer: (answer) => this.#written.push(toAtUri(JSON.parse(answer).uri)),
    };
  }

  /** As many records of the archivist as one request may write. */
  async archive(): Promise<Prepared & { count: number }> {
    const type = com.atproto.repo.applyWrites.create.$type;
    const writes = Array.from({ length: BATCH }, (_, i) => ({
      $type: type,
      collection,
      value: post(BOUNDARY, i),
    }));
    const body = { repo: this.#archivist.did, writes };
    const nsid = com.atproto.repo.applyWrites.$nsid;
    return { ...(await this.#procedure(this.#archivist, nsid, body)), count: BATCH };
  }

  getRecord(): Promise<Prepared> {
    const { did: repo, ...place } = parseAtUri(oneOf(this.#written));
    return this.#query(oneOf(this.#actors), com.atproto.repo.getRecord.$nsid, { repo, ...place });
  }

  listRecords(): Promise<Prepared> {
    const params = { repo: this.#archivist.did, collection, limit: `${LISTED_AT_ONCE}` };
    return this.#query(oneOf(this.#actors), com.atproto.repo.listRecords.$nsid, params);
  }

  hydrateRecords(): Promise<Prepared> {
    const uris = new Set<AtUri>();
    while (uris.size < HYDRATED_AT_ONCE) uris.add(oneOf(this.#written));
    const body = { uris: [...uris] };
    return this.#procedure(oneOf(this.#actors), zone.stratos.repo.hydrateRecords.$nsid, body);
  }

  proof(): Promise<Prepared> {
    const uri = oneOf(this.#written);
    return this.#query(oneOf(this.#actors), com.atproto.sync.getRecord.$nsid, parseAtUri(uri));
  }

  getRepo(): Promise<Prepared> {
    const { did } = this.#archivist;
    return this.#query(this.#archivist, zone.stratos.sync.getRepo.$nsid, { did });
  }

  async #procedure(person: Person, nsid: string, body: unknown): Promise<Prepared> {
    const proven = await this.#credentials.headers(person, 'POST', nsid);
    const headers = { ...proven, 'content-type': 'application/json' };
    return { path: `/xrpc/${nsid}`, headers, body: JSON.stringify(body) };
  }

  async #query(person: Person, nsid: string, params: Record<string, string>): Promise<Prepared> {
    const headers = await this.#credentials.headers(person, 'GET', nsid);
    return { path: `/xrpc/${nsid}?${new URLSearchParams(params)}`, headers };
  }
}

/** @param number - tells it from others of the same moment */
export function post(boundary: Boundary, number = 0): LexMap {
  return {
    $type: collection,
    text: `${number}: a post of some hundred and forty characters, which is what people write. `.repeat(
      2,
    ),
    boundary: { $type: zone.stratos.boundary.defs.Domains.$type, values: [{ value: boundary }] },
    createdAt: new Date().toISOString(),
  };
}

function oneOf<T>(list: readonly T[]): T {
  const chosen = list[Math.floor(Math.random() * list.length)];
  if (chosen === undefined) throw new Error('there is nothing to choose from');
  return chosen;
}
