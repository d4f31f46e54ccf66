import type { PrismaClient } from '@stratos/prisma';
import {
  type AtUri,
  type Boundary,
  type Cid,
  type Did,
  encodeRecord,
  recordUri,
  toCid,
  toDid,
} from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { SignedRepo } from '@stratos/protocol/testing';
import type { ShownRecord } from '../hydration/nodes/node-client.ts';
import type { RecordValue } from '../hydration/posts.ts';

const collection = zone.stratos.feed.post.$nsid;
const LOG_SEQ = 7;
const ANOTHER = toCid('bafyreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku');

export interface Membership {
  did: Did;
  node: Did;
  boundaries: Boundary[];
  active?: boolean;
  /** What the PDS says of it; the same as the node unless told otherwise. */
  enrolled?: 'same' | 'another-key' | 'no';
  /** Whether the index has come as far as the repo of the person. */
  applied?: boolean;
}

export interface StubFacts {
  author: Did;
  node: Did;
  /** What the signed record names. */
  boundaries: Boundary[];
  rkey: string;
  parent?: { uri: AtUri; cid: Cid } | undefined;
  fault?: StubFault;
}

/** What a node does that is wrong, or the author. */
export const STUB_FAULTS = [
  'other-content',
  'other-record-in-repo',
  'not-in-repo',
  'repo-of-another',
  'another-key',
  'garbage',
  'newer-members',
  'a-stub',
  'missing',
] as const;

export type StubFault = (typeof STUB_FAULTS)[number];

export interface WrittenStub extends StubFacts {
  uri: AtUri;
  cid: Cid;
}

/**
 * Writes stubs, and who is a member by the word of whom, as the indexer does; the records are at nodes which give
 * what they were told to.
 */
export class StubWorld {
  readonly #prisma: PrismaClient;
  readonly #repos = new Map<string, SignedRepo>();
  readonly #given = new Map<string, ShownRecord>();
  /** Nodes that answer nobody. */
  readonly dead = new Set<Did>();
  /** What nodes were asked. */
  readonly calls: { node: Did; uris: readonly AtUri[] }[] = [];

  constructor(prisma: PrismaClient) {
    this.#prisma = prisma;
  }

  async clear(): Promise<void> {
    const prisma = this.#prisma;
    await prisma.$transaction([
      ...[prisma.stub.deleteMany(), prisma.enrollment.deleteMany(), prisma.hold.deleteMany()],
      ...[prisma.post.deleteMany(), prisma.repo.deleteMany(), prisma.membership.deleteMany()],
      ...[prisma.actor.deleteMany(), prisma.boundary.deleteMany(), prisma.node.deleteMany()],
    ]);
    this.#repos.clear();
    this.#given.clear();
    this.dead.clear();
    this.calls.length = 0;
  }

  async node(did: Did, { isHeard = true } = {}): Promise<void> {
    const leaseUntil = new Date(Date.now() + (isHeard ? 3_600_000 : -1));
    const log = { membershipSeq: BigInt(LOG_SEQ), membershipHead: 'head' };
    await this.#prisma.node.create({
      data: { did, endpoint: 'http://node.test', leaseUntil, ...log },
    });
  }

  async members(all: readonly Membership[]): Promise<void> {
    const { membership, membershipBoundary, repo, enrollment } = this.#prisma;
    const rows = all.map(({ did, node, ...member }) => {
      const signingKey = this.#repo(did, node).key.did();
      return { ...member, id: { did, nodeDid: node }, signingKey };
    });
    await membership.createMany({
      data: rows.map(({ id, signingKey, active = true }) => ({
        ...{ ...id, signingKey, active, seq: 1n, issuedAt: new Date() },
      })),
    });
    await membershipBoundary.createMany({
      data: rows.flatMap(({ id, boundaries }) =>
        boundaries.map((boundary) => ({ ...id, boundary })),
      ),
    });
    const head = { rev: 'zzzzzzzzzzzzz', commit: 'commit', data: 'data' };
    await repo.createMany({
      data: rows.filter(({ applied }) => applied).map(({ id }) => ({ ...id, ...head })),
    });
    await enrollment.createMany({
      data: rows
        .filter(({ enrolled }) => enrolled !== 'no')
        .map(({ id, signingKey, enrolled = 'same' }) => ({
          ...{ ...id, rkey: id.nodeDid, serviceUrl: 'http://node.test', rev: head.rev },
          signingKey: enrolled === 'same' ? signingKey : new SignedRepo(id.did).key.did(),
          ...{ boundaries: [], enrolledAt: new Date() },
        })),
    });
  }

  /** Writes posts at nodes and their stubs, of which the index knows the stubs alone. */
  async stubs(all: readonly StubFacts[]): Promise<WrittenStub[]> {
    const written = await Promise.all(all.map((facts) => this.#write(facts)));
    const repos = Map.groupBy(written, ({ author, node }) => `${author} ${node}`);
    for (const [, posts] of repos) await this.#give(posts);
    await this.#prisma.stub.createMany({
      data: written.map(({ uri, author, node, cid }) => ({
        ...{ uri, did: author, nodeDid: node, subjectCid: cid, rev: '3l3qo2vutsw2b' },
      })),
    });
    return written;
  }

  /** What nodes give, as the client of the gateway reads it. */
  async shownRecords(node: Did, uris: readonly AtUri[]): Promise<Map<AtUri, ShownRecord>> {
    this.calls.push({ node, uris });
    if (this.dead.has(node)) throw new Error('refused');
    return new Map(
      uris.flatMap((uri) => {
        const given = this.#given.get(`${node} ${uri}`);
        return given ? [[uri, given] as const] : [];
      }),
    );
  }

  async #write(facts: StubFacts): Promise<WrittenStub & { value: RecordValue }> {
    const { author, rkey } = facts;
    const uri = recordUri(author, collection, rkey);
    const value = recordOf(facts);
    const { cid } = await encodeRecord(value);
    return { ...facts, uri, cid, value };
  }

  /** All posts of a repo come in one commit. */
  async #give(posts: readonly (WrittenStub & { value: RecordValue })[]): Promise<void> {
    const [first] = posts;
    if (!first) return;
    const { author, node } = first;
    const inRepo = posts
      .filter(({ fault }) => fault !== 'not-in-repo')
      .map(({ rkey, cid, fault }): [string, Cid] => [
        `${collection}/${rkey}`,
        fault === 'other-record-in-repo' ? ANOTHER : cid,
      ]);
    const entries = inRepo.length > 0 ? inRepo : [[`${collection}/else`, ANOTHER] as const];
    const own = await this.#repo(author, node).commit(entries);
    const stranger = await new SignedRepo(toDid('did:plc:stranger')).commit(entries);
    const forged = await new SignedRepo(author).commit(entries);
    for (const { uri, value, fault } of posts) {
      if (fault === 'missing') continue;
      const cars: Partial<Record<StubFault, Uint8Array>> = {
        'repo-of-another': stranger.car,
        'another-key': forged.car,
        garbage: own.car.subarray(0, own.car.length / 2),
      };
      this.#given.set(`${node} ${uri}`, {
        value: fault === 'other-content' ? { ...value, text: 'a lie' } : value,
        proof: (fault && cars[fault]) ?? own.car,
        membershipSeq: fault === 'newer-members' ? LOG_SEQ + 1 : LOG_SEQ,
      });
    }
  }

  #repo(did: Did, node: Did): SignedRepo {
    const key = `${did} ${node}`;
    const repo = this.#repos.get(key) ?? new SignedRepo(did);
    this.#repos.set(key, repo);
    return repo;
  }
}

function recordOf({ rkey, boundaries, parent, node, author, fault }: StubFacts): RecordValue {
  const subject = parent && { uri: parent.uri, cid: parent.cid };
  return {
    $type: collection,
    text: rkey,
    ...(subject && { reply: { root: subject, parent: subject } }),
    boundary: {
      $type: zone.stratos.boundary.defs.Domains.$type,
      values: boundaries.map((value) => ({ value })),
    },
    ...(fault === 'a-stub' && {
      source: {
        vary: 'authenticated',
        subject: { uri: recordUri(author, collection, rkey), cid: ANOTHER },
        // With a fragment it would be no post for another reason.
        service: node,
      },
    }),
    createdAt: '2026-01-01T00:00:00.000Z',
  };
}
