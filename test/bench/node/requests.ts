import { type AtUri, parseAtUri, toAtUri } from '@stratos/protocol';
import { com, zone } from '@stratos/protocol/lexicons';
import type { Prepared } from '../load.ts';
import type { Needs } from '../machine/limits.ts';
import type { Person } from '../people.ts';
import { BOUNDARY, NODE_DID } from './measured-node.ts';

const collection = zone.stratos.feed.post.$nsid;
const HYDRATED_AT_ONCE = 100;

/** A kind of request that is measured. */
export interface Scenario {
  name: string;
  /** What is asked for, in items a second. */
  bar: number;
  /** Records in each answer. */
  items: number;
  /** What an answer cannot be given without. */
  needs: Needs;
  prepare(): Promise<Prepared>;
}

const READ: Needs = { requests: 1, verifications: 1 };
const WRITE: Needs = { ...READ, signatures: 1, transactions: 1 };

/** The requests of people who write posts, and read each other's at random. */
export function scenarios(actors: readonly Person[]): Scenario[] {
  const written: AtUri[] = [];
  return [
    {
      name: 'createRecord',
      bar: 1_000,
      items: 1,
      needs: WRITE,
      prepare: () => createRecord(actors, written),
    },
    {
      name: 'getRecord',
      bar: 2_500,
      items: 1,
      needs: READ,
      prepare: () => getRecord(actors, written),
    },
    {
      name: 'hydrateRecords, records',
      bar: 30_000,
      items: HYDRATED_AT_ONCE,
      needs: READ,
      prepare: () => hydrateRecords(actors, written),
    },
    {
      name: 'sync.getRecord, proofs',
      bar: 1_500,
      items: 1,
      needs: READ,
      prepare: () => proof(actors, written),
    },
  ];
}

async function createRecord(actors: readonly Person[], written: AtUri[]): Promise<Prepared> {
  const author = oneOf(actors);
  const record = {
    $type: collection,
    text: 'A post of a hundred and forty characters, which is what people write. '.repeat(2),
    boundary: { $type: zone.stratos.boundary.defs.Domains.$type, values: [{ value: BOUNDARY }] },
    createdAt: new Date().toISOString(),
  };
  const body = { repo: author.did, collection, record };
  return {
    ...(await procedure(author, com.atproto.repo.createRecord.$nsid, body)),
    onAnswer: (answer) => written.push(toAtUri(JSON.parse(answer).uri)),
  };
}

function getRecord(actors: readonly Person[], written: AtUri[]): Promise<Prepared> {
  const { did: repo, ...place } = parseAtUri(oneOf(written));
  const params = { repo, ...place };
  return query(oneOf(actors), com.atproto.repo.getRecord.$nsid, params);
}

function hydrateRecords(actors: readonly Person[], written: AtUri[]): Promise<Prepared> {
  const uris = new Set<AtUri>();
  while (uris.size < HYDRATED_AT_ONCE) uris.add(oneOf(written));
  const body = { uris: [...uris] };
  return procedure(oneOf(actors), zone.stratos.repo.hydrateRecords.$nsid, body);
}

function proof(actors: readonly Person[], written: AtUri[]): Promise<Prepared> {
  const params = parseAtUri(oneOf(written));
  return query(oneOf(actors), com.atproto.sync.getRecord.$nsid, params);
}

async function procedure(person: Person, nsid: string, body: unknown): Promise<Prepared> {
  const authorization = await person.authorization(NODE_DID, nsid);
  const headers = { authorization, 'content-type': 'application/json' };
  return { path: `/xrpc/${nsid}`, headers, body: JSON.stringify(body) };
}

async function query(
  person: Person,
  nsid: string,
  params: Record<string, string>,
): Promise<Prepared> {
  const authorization = await person.authorization(NODE_DID, nsid);
  return { path: `/xrpc/${nsid}?${new URLSearchParams(params)}`, headers: { authorization } };
}

function oneOf<T>(list: readonly T[]): T {
  const chosen = list[Math.floor(Math.random() * list.length)];
  if (chosen === undefined) throw new Error('there is nothing to choose from');
  return chosen;
}
