import { setTimeout as sleep } from 'node:timers/promises';
import { IdResolver, MemoryCache } from '@atproto/identity';
import { type IdentityResolver, isDid } from '@stratos/protocol';
import { com } from '@stratos/protocol/lexicons';
import { recordRefusal } from '../applying/refusal.ts';
import { type Database, inTransaction, isUnstorable } from '../database.ts';
import type { Fence } from '../followers/fence.ts';
import { holdSource, saveSourceCursor } from '../followers/source-claims.ts';
import type { Turns } from '../followers/turns.ts';
import type { Logger } from '../logger.ts';
import { recurring } from '../lookups/recurring.ts';
import type { SourceStatus } from '../nodes/node-follower.ts';
import type { Shortage } from '../shortage.ts';
import { noTelemetry, type Telemetry } from '../telemetry/telemetry.ts';
import type { Lookups, PdsSurroundings } from './apply-enrollment.ts';
import { applyFirehoseEvent, takesBack } from './apply-firehose-event.ts';
import { askForPdsResync, askForPdsResyncs, askOnceMore } from './ask-for-pds-resync.ts';
import { EventQueue } from './event-queue.ts';
import { findPeople } from './find-people.ts';
import { type FirehoseMessage, firehoseMessages, type Malformed } from './firehose-messages.ts';
import { PdsResyncs } from './pds-resyncs.ts';
import { isContinuous, takeRevision } from './pds-revision.ts';
import { countRelevant, readCommit, UnreadableCommitError } from './read-commit.ts';

const { commit, identity, account, info } = com.atproto.sync.subscribeRepos;
type Commit = Extract<FirehoseMessage, { $type: typeof commit.$type }>;
type Identity = Extract<FirehoseMessage, { $type: typeof identity.$type }>;
type Account = Extract<FirehoseMessage, { $type: typeof account.$type }>;
type Sync = Exclude<FirehoseMessage, Commit | Identity | Account | { $type: typeof info.$type }>;

const CONCURRENCY = 16;
const MAX_WAITING = 1_000;
const MAX_WAITING_BYTES = 32 * 1024 * 1024;
const SAVE_MS = 250;
/** What a DID document that holds up the events of its person is waited for. */
const RESOLVE_TIMEOUT_MS = 2_000;

export interface FirehoseContext {
  db: Database;
  identity: IdentityResolver;
  /** `ws(s)://` base of the PDS or relay; also the name of its cursor. */
  url: string;
  /** Position up to which everything is applied. */
  cursor: number;
  fence: Fence;
  plcUrl: string;
  maxReconnectMs: number;
  /** Told of what writing fails with. */
  shortage: Shortage;
  turns: Turns;
  logger: Logger;
  lookups: Lookups;
  telemetry?: Telemetry | undefined;
}

/** Follows a PDS or relay, from where it was left, until disposed. */
export class Firehose implements AsyncDisposable {
  readonly #context: FirehoseContext;
  /** People whose every commit matters, because one that is missing may have been about an enrollment. */
  readonly #enrolled = new Set<string>();
  readonly #didCache = new MemoryCache(60_000, 600_000);
  readonly #ids: IdResolver;
  readonly #surroundings: PdsSurroundings;
  readonly #queue: EventQueue;
  readonly #resyncs: PdsResyncs;
  readonly #stop = new AbortController();
  readonly #opened = new AsyncDisposableStack();
  #saved: number;
  #connections = 0;
  /** Whether the newest connection has brought anything. */
  #heard = false;
  #refused = 0;

  constructor(context: FirehoseContext) {
    const { db, identity, url, cursor, fence, plcUrl, maxReconnectMs, logger, lookups, shortage } =
      context;
    this.#context = context;
    this.#saved = cursor;
    const { fetch } = identity;
    const timeout = RESOLVE_TIMEOUT_MS;
    this.#ids = new IdResolver({ plcUrl, didCache: this.#didCache, fetch, timeout });
    this.#surroundings = {
      lookups: {
        ...lookups,
        findHandle: (did) => {
          this.#enrolled.add(did);
          lookups.findHandle(did);
        },
      },
      write: (work) =>
        inTransaction(db, async (tx) => {
          await holdSource(tx, url, fence);
          return work(tx);
        }),
    };
    this.#queue = new EventQueue({
      startCursor: cursor,
      concurrency: CONCURRENCY,
      maxWaiting: MAX_WAITING,
      maxWaitingBytes: MAX_WAITING_BYTES,
      maxRetryMs: maxReconnectMs,
      sumUp: (did) => this.#readAnew(did, 'too-many'),
      onRetry(error, did) {
        shortage.note(error);
        logger.warn({ err: error, did }, 'an event is not applied yet');
      },
    });
    this.#resyncs = new PdsResyncs({
      ...this.#surroundings,
      db,
      source: url,
      ids: this.#ids,
      fetch,
      logger,
    });
  }

  start(): void {
    const { logger } = this.#context;
    const onError = (error: unknown) => logger.warn({ err: error }, 'the cursor is not saved');
    this.#opened.defer(() => this.#save().catch(onError));
    this.#opened.use(recurring(SAVE_MS, () => this.#save(), onError));
    this.#opened.use(this.#resyncs);
    this.#resyncs.start();
    const reading = this.#read();
    this.#opened.defer(() => reading);
    this.#opened.use(this.#queue);
    this.#opened.defer(() => this.#stop.abort());
  }

  async status(): Promise<SourceStatus> {
    const { identity: resolver, url } = this.#context;
    return {
      connected: this.#connections > 0 && (this.#heard || (await isReachable(resolver, url))),
      cursor: this.#queue.cursor,
      lag: this.#queue.pending,
      refused: this.#refused,
    };
  }

  async #read(): Promise<void> {
    const { url, maxReconnectMs, logger } = this.#context;
    const { signal } = this.#stop;
    const onReconnect = (error: unknown) => logger.warn({ err: error }, 'the firehose is lost');
    const cursor = () => this.#beginAt();
    while (!signal.aborted) {
      try {
        await this.#findEnrolled();
        const options = { url, cursor, maxReconnectMs, onReconnect, signal };
        for await (const message of firehoseMessages(options)) {
          this.#heard = true;
          await this.#take(message);
        }
      } catch (error) {
        if (!signal.aborted) logger.warn({ err: error }, 'the firehose ends');
      }
      await sleep(Math.min(1_000, maxReconnectMs), undefined, { signal }).catch(() => {});
    }
  }

  async #findEnrolled(): Promise<void> {
    const rows = await this.#context.db.enrollment.findMany({ select: { did: true } });
    for (const { did } of rows) this.#enrolled.add(did);
  }

  /** At the last event again, so that even a quiet source says something. */
  #beginAt(): number {
    this.#connections++;
    this.#heard = false;
    return Math.max(0, this.#queue.newest - 1);
  }

  async #take(message: FirehoseMessage | Malformed): Promise<void> {
    const { telemetry = noTelemetry } = this.#context;
    switch (message.$type) {
      case 'malformed':
        return this.#takeMalformed(message);
      case info.$type:
        return message.name === 'OutdatedCursor' ? this.#readAllAnew() : undefined;
      case commit.$type: {
        const { repo: did, seq, blocks } = message;
        if (countRelevant(message) === 0 && !this.#enrolled.has(did)) return this.#queue.pass(seq);
        const settle = () => telemetry.publicEvent(() => this.#applyCommit(message));
        return this.#queue.add({ did, seq, size: blocks.byteLength, settle });
      }
      default: {
        const { did, seq } = message;
        const isTakenBack = message.$type === account.$type && !message.active;
        const settle = () =>
          telemetry.publicEvent(() => this.#inTurn(did, isTakenBack, () => this.#apply(message)));
        return this.#queue.add({ did, seq, size: 0, settle });
      }
    }
  }

  async #takeMalformed({ seq, did }: Malformed): Promise<void> {
    if (seq === undefined || !isDid(did)) return;
    const settle = () => this.#readAnew(did, 'malformed');
    await this.#queue.add({ did, seq, size: 0, settle });
  }

  async #apply(message: Sync | Identity | Account): Promise<void> {
    const { did } = message;
    switch (message.$type) {
      case account.$type: {
        const { active, status } = message;
        if (await this.#surroundings.write((tx) => askOnceMore(tx, did))) this.#resyncs.soon(did);
        if (status !== 'deleted' && !(await this.#isKnown(did))) return;
        return applyFirehoseEvent(this.#surroundings, { event: 'account', did, active, status });
      }
      case identity.$type:
        // A key that was given up must not count for as long as it is remembered.
        await this.#didCache.clearEntry(did);
        if (!(await this.#isKnown(did))) return;
        return applyFirehoseEvent(this.#surroundings, { event: 'identity', did });
      default:
        return this.#readAnew(did, 'sync');
    }
  }

  /** Of who is not enrolled there is nothing to take back, and anybody can make up many who are not. */
  #inTurn(did: string, isTakenBack: boolean, apply: () => Promise<void>): Promise<void> {
    return isTakenBack && this.#enrolled.has(did) ? this.#context.turns.first(apply) : apply();
  }

  async #isKnown(did: string): Promise<boolean> {
    return (await this.#context.db.actor.count({ where: { did } })) > 0;
  }

  async #applyCommit(message: Commit): Promise<void> {
    const { repo: did, seq, rev, since } = message;
    try {
      const events = await readCommit(this.#ids, message);
      const apply = async () => {
        if (!(await isContinuous(this.#context.db, { did, rev, since }))) {
          await this.#readAnew(did, 'not-continuous');
        }
        for (const event of events) await applyFirehoseEvent(this.#surroundings, event);
      };
      await this.#inTurn(did, events.some(takesBack), apply);
      if (events.length === 0) await this.#surroundings.write((tx) => takeRevision(tx, did, rev));
    } catch (error) {
      if (isUnstorable(error)) return this.#refuse(did, seq, 'not-storable');
      if (!(error instanceof UnreadableCommitError)) throw error;
      if (error.reason === 'unproven') return this.#refuse(did, seq, error.reason);
      await this.#readAnew(did, error.reason);
    }
  }

  async #readAnew(did: string, reason: string): Promise<void> {
    const { write } = this.#surroundings;
    if (await write((tx) => askForPdsResync(tx, { did, reason }))) this.#resyncs.soon(did);
    else await this.#refuse(did, undefined, reason);
  }

  /** Events are lost, and with them what they said of anybody. Nothing more is taken until that is noted. */
  async #readAllAnew(): Promise<void> {
    const { identity: resolver, url, logger } = this.#context;
    logger.warn('events of the firehose are lost; reading everybody anew');
    const source = url.replace(/^ws/, 'http');
    const reason = 'outdated';
    for await (const dids of findPeople(resolver.fetch, source, this.#stop.signal)) {
      await this.#surroundings.write((tx) => askForPdsResyncs(tx, { dids, reason }));
    }
  }

  async #refuse(did: string, streamSeq: number | undefined, reason: string): Promise<void> {
    this.#refused++;
    const { url: source, logger } = this.#context;
    logger.warn({ did, seq: streamSeq, reason }, 'refused');
    await this.#surroundings.write((tx) => recordRefusal(tx, { source, did, streamSeq, reason }));
  }

  async #save(): Promise<void> {
    const { db, url: source, fence } = this.#context;
    const { cursor: seq } = this.#queue;
    if (seq === this.#saved) return;
    await saveSourceCursor(db, { source, fence, seq });
    this.#saved = seq;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.disposeAsync();
  }
}

async function isReachable(resolver: IdentityResolver, url: string): Promise<boolean> {
  const health = new URL('/xrpc/_health', url.replace(/^ws/, 'http'));
  return resolver.fetch(health, { signal: AbortSignal.timeout(2_000) }).then(
    async (response) => {
      await response.body?.cancel();
      return response.ok;
    },
    () => false,
  );
}
