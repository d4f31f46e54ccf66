import { TID } from '@atproto/common-web';
import type { Create, Delete } from '@atproto/sync';
import { createPrismaClient } from '@stratos/prisma';
import { createTestDatabase } from '@stratos/prisma/testing';
import {
  buildEnrollmentRecord,
  type DidKey,
  enrollmentRkey,
  SigningKey,
  signAttestation,
} from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import {
  applyEvent,
  applyEvents,
  type EventSource,
  type Outcome,
} from '../applying/apply-event.ts';
import type { NodeEvent } from '../applying/node-event.ts';
import { proveEvent } from '../applying/prove-event.ts';
import { type Database, inTransaction, type Transaction } from '../database.ts';
import { applyFirehoseEvent } from '../firehose/apply-firehose-event.ts';
import type { Author } from './author.ts';
import { LyingNode } from './lying-node.ts';

/** A database, a node, and what it takes to hand events over without the sockets between. */
export class World implements AsyncDisposable {
  readonly db: Database;
  readonly node: LyingNode;
  readonly url: string;
  /** Whether the node behind a service URL can be found at the moment. */
  reachable = true;
  readonly #opened: AsyncDisposableStack;

  private constructor(url: string, db: Database, node: LyingNode, opened: AsyncDisposableStack) {
    this.url = url;
    this.db = db;
    this.node = node;
    this.#opened = opened;
  }

  static async create(): Promise<World> {
    const opened = new AsyncDisposableStack();
    const { url } = opened.use(await createTestDatabase());
    const db = createPrismaClient(url, { poolSize: 4 });
    opened.defer(() => db.$disconnect());
    const node = opened.use(await LyingNode.start());
    await db.node.create({ data: { did: node.did, endpoint: node.url } });
    return new World(url, db, node, opened);
  }

  apply(event: NodeEvent, db = this.db): Promise<Outcome> {
    return applyEvent(this.#source({ db }), event);
  }

  /** Applies events together. */
  async applyAll(
    events: readonly NodeEvent[],
    options: Partial<EventSource> = {},
  ): Promise<Outcome> {
    const source = this.#source(options);
    const proven = events.map((event) => proveEvent(event, source.nodeDid));
    return applyEvents(source, await Promise.all(proven));
  }

  #source(options: Partial<EventSource>): EventSource {
    const { did, key } = this.node;
    return { db: this.db, nodeDid: did, keys: [key.did()], leaseSeconds: 60, ...options };
  }

  /** Forgets all that came from the node. */
  async empty(): Promise<void> {
    const { db } = this;
    await db.$executeRaw`
      truncate stratos_post, stratos_proof, stratos_membership, stratos_repo, stratos_tombstone,
        stratos_quarantine, stratos_resync, stratos_waiting_commit, stratos_hold cascade`;
    await db.node.updateMany({
      data: { streamCursor: 0, membershipSeq: 0, membershipHead: null, newestSeq: 0 },
    });
  }

  /** The database of a process that dies in the last moment of each of its transactions. */
  dyingDatabase(): Database {
    const $transaction = (work: (tx: Transaction) => Promise<unknown>) =>
      inTransaction(this.db, async (tx) => {
        await work(tx);
        throw new Error('killed');
      });
    return { $transaction } as unknown as Database;
  }

  /** The database of a process that does not come to the end of its transactions until something else has. */
  slowDatabase(until: Promise<unknown>): Database {
    const $transaction = (work: (tx: Transaction) => Promise<unknown>) =>
      inTransaction(this.db, async (tx) => {
        const result = await work(tx);
        await until;
        return result;
      });
    return { $transaction } as unknown as Database;
  }

  async firehose(event: Parameters<typeof applyFirehoseEvent>[1]): Promise<void> {
    const { did, url } = this.node;
    await applyFirehoseEvent(
      {
        write: (work) => inTransaction(this.db, work),
        lookups: {
          knownNode: (serviceUrl) => (this.reachable && serviceUrl === url ? did : undefined),
          findNode: () => {},
          findHandle: () => {},
        },
      },
      event,
    );
  }

  async enroll(author: Author, signingKey: DidKey = author.key.did()): Promise<void> {
    await this.firehose(await this.enrollment(author, signingKey));
  }

  async enrollment(author: Author, signingKey: DidKey = author.key.did()): Promise<Create> {
    const boundaries = [this.node.boundary('art')];
    const claims = { did: author.did, boundaries, signingKey };
    const attestation = await signAttestation(claims, SigningKey.generate('secp256k1'));
    const service = this.node.url;
    const createdAt = new Date();
    return {
      ...this.#meta(author),
      event: 'create',
      record: buildEnrollmentRecord({ service, boundaries, signingKey, attestation, createdAt }),
    } as unknown as Create;
  }

  unenrollment(author: Author): Delete {
    return { ...this.#meta(author), event: 'delete' } as unknown as Delete;
  }

  #meta({ did }: Author) {
    const collection = zone.stratos.actor.enrollment.$nsid;
    const rkey = enrollmentRkey(this.node.did);
    const uri = { toString: () => `at://${did}/${collection}/${rkey}` };
    return { seq: 1, time: '', did, collection, rkey, uri, rev: TID.nextStr() };
  }

  /** Everything that somebody may read: `{rkey} {boundary name}`. */
  async readable(): Promise<string[]> {
    const rows = await this.db.postBoundary.findMany({
      orderBy: [{ uri: 'asc' }, { boundary: 'asc' }],
    });
    return rows.map(
      ({ uri, boundary }) => `${uri.split('/').at(-1)} ${boundary.split('/').at(-1)}`,
    );
  }

  async refusals(): Promise<string[]> {
    const rows = await this.db.quarantined.findMany({ orderBy: { id: 'asc' } });
    return rows.map(({ reason }) => reason);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#opened.disposeAsync();
  }
}
