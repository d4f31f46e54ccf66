import { setImmediate } from 'node:timers/promises';
import { TID } from '@atproto/common-web';
import { encode } from '@atproto/lex-cbor';
import { decodeCid } from '@atproto/lex-data';
import {
  type Cid,
  type Did,
  encodeBlock,
  type SigningKey,
  type Tid,
  toTid,
} from '@stratos/protocol';
import { type CidBytes, textOf } from '@stratos/protocol/tree';
import { keepBlobs } from '../blobs/record-blobs.ts';
import type { NodeContext } from '../context.ts';
import { NodeError } from '../node-error.ts';
import { enrolled } from '../records/enrolled.ts';
import { MAX_WRITES } from '../records/write.ts';
import { treeRoot } from '../repo/build-commit.ts';
import type { ActorTransactor, RepoCommit, RepoRoot } from '../storage/actor-storage.ts';
import type { Enrollment } from '../storage/service-storage.ts';
import { CarWriter } from './car-writer.ts';
import type { Imported } from './import-repo.ts';
import type { ImportSpool, SpooledRecord } from './import-spool.ts';
import { type TreeBlock, TreeBuilder } from './tree-builder.ts';

const EMPTY_TREE = new TreeBuilder().root().cid;
const EVENTS_PER_READ = 20;

/** Writes what was prepared, in one transaction, under the lock of the person. */
export async function writeImport(
  ctx: NodeContext,
  author: Enrollment,
  spool: ImportSpool,
  records: number,
): Promise<Imported> {
  const { did } = author;
  await checkStillAllowed(ctx, author);
  const tempKeys = await keepAllBlobs(ctx, did, spool);
  await ctx.publisher.beforeWrite(did);
  try {
    const root = await ctx.actors.write(did, async (actor) => {
      const { bytes: now } = await treeRoot(actor);
      if (records === 0 || !isSame(now, EMPTY_TREE)) return sameRoot(actor, now, spool);
      await refuseTakenDown(actor, spool);
      return new ImportWriter(actor, await ctx.actorKeys.of(actor)).write(spool);
    });
    await publishAll(ctx, did);
    return { imported: records, commit: root.cid, rev: root.rev };
  } catch (error) {
    // @NOTE what a transaction wrote before it failed may have reached the files
    await ctx.actors.scrub(did);
    throw error;
  } finally {
    if (tempKeys.length > 0) await ctx.blobSweep.tidy(did, tempKeys);
  }
}

/** The checks took their time: what they found must be true still. */
async function checkStillAllowed(ctx: NodeContext, author: Enrollment): Promise<void> {
  const { boundaries } = await enrolled(ctx, author.did);
  if (!author.boundaries.every((boundary) => boundaries.includes(boundary))) {
    throw new NodeError('ForbiddenBoundary');
  }
}

async function keepAllBlobs(ctx: NodeContext, did: Did, spool: ImportSpool): Promise<string[]> {
  const tempKeys: string[] = [];
  for (const blobs of [...spool.blobs()]) tempKeys.push(...(await keepBlobs(ctx, did, blobs)));
  return tempKeys;
}

/** The root of a repo that has exactly these records. Throws `RepoAlreadyExists` if it has others. */
async function sameRoot(
  actor: ActorTransactor,
  now: CidBytes,
  spool: ImportSpool,
): Promise<RepoRoot> {
  const tree = new TreeBuilder();
  for (const leaves of spool.leaves(MAX_WRITES)) {
    for (const { key, cid, layer } of leaves) tree.add(key, cid, layer);
    tree.takeClosed();
    await setImmediate();
  }
  if (!isSame(now, tree.root().cid)) throw new NodeError('RepoAlreadyExists');
  return existingRoot(actor);
}

async function existingRoot(actor: ActorTransactor): Promise<RepoRoot> {
  const root = await actor.root();
  if (!root) throw new Error('the repo has no commit');
  return root;
}

async function refuseTakenDown(actor: ActorTransactor, spool: ImportSpool): Promise<void> {
  for (const uris of spool.uris(MAX_WRITES)) {
    const standings = await actor.standings(uris);
    const known = standings.values().find(({ isTakenDown }) => isTakenDown);
    if (!known) continue;
    throw new NodeError('InvalidRecord', `${known.uri}: The record with this key was taken down`);
  }
}

/** Event by event, since there may be any number of them. */
async function publishAll({ actors, publisher, service }: NodeContext, did: Did): Promise<void> {
  for (;;) {
    const after = await service.publications.publishedSeq(did);
    const events = await actors.read(did, (actor) => actor.eventsAfter(after, EVENTS_PER_READ));
    if (!events || events.size === 0) return;
    for (const [seq, event] of events) await publisher.publish(did, { seq, event });
  }
}

/** Makes commits of as many records as one may have. What only they would reach is never stored. */
class ImportWriter {
  readonly #actor: ActorTransactor;
  readonly #key: SigningKey;
  readonly #tree = new TreeBuilder();
  #data: CidBytes = EMPTY_TREE;

  constructor(actor: ActorTransactor, key: SigningKey) {
    this.#actor = actor;
    this.#key = key;
  }

  async write(spool: ImportSpool): Promise<RepoRoot> {
    const first = await existingRoot(this.#actor);
    let root = first;
    let page: SpooledRecord[] = [];
    for (const next of spool.records(MAX_WRITES)) {
      if (page.length > 0) root = await this.#commit(page, root, undefined);
      page = next;
      // @NOTE SQLite answers without a turn of the event loop, and others need theirs
      await setImmediate();
    }
    return this.#commit(page, root, first);
  }

  /** @param first - the commit that the import began with, for the last one to replace */
  async #commit(page: readonly SpooledRecord[], before: RepoRoot, first: RepoRoot | undefined) {
    for (const { op, cid, layer } of page) this.#tree.add(op.path, cid, layer);
    const closed = blocksOf(this.#tree.takeClosed());
    const { cid: data, edge } = this.#tree.root();
    const root = await this.#sign(data, toTid(TID.nextStr(before.rev)));
    const lastBlocks = [...blocksOf(edge), [root.cid, root.bytes] as const];
    const records = page.flatMap(({ op: { cid }, bytes }) => (cid ? [[cid, bytes] as const] : []));
    const stubs = page.flatMap(({ stub }) => stub ?? []);
    const commit: RepoCommit = {
      root: { cid: root.cid, rev: root.rev },
      newBlocks: [...records, ...closed, ...(first ? lastBlocks : [])],
      removedCids: first ? [first.cid, textOf(EMPTY_TREE)] : [],
      event: {
        time: new Date().toISOString(),
        rev: root.rev,
        commit: root.cid,
        since: before.rev,
        prevData: textOf(this.#data),
        ops: page.map(({ op }) => op),
        ...(stubs.length > 0 && { stubs }),
        proof: proofOf(root.cid, [...lastBlocks.reverse(), ...closed]),
      },
    };
    await this.#actor.applyCommit(commit);
    const blobs = page.flatMap((record) =>
      record.blobs.length > 0 ? [[record.uri, record.blobs.map(({ cid }) => cid)] as const] : [],
    );
    if (blobs.length > 0) await this.#actor.blobs.refer(new Map(blobs));
    this.#data = data;
    return commit.root;
  }

  async #sign(data: CidBytes, rev: Tid) {
    const { did } = this.#actor;
    const unsigned = { did, version: 3, rev, prev: null, data: decodeCid(data) };
    const sig = await this.#key.sign(encode(unsigned));
    return { rev, ...(await encodeBlock({ ...unsigned, sig })) };
  }
}

function blocksOf(nodes: readonly TreeBlock[]): (readonly [Cid, Uint8Array])[] {
  return nodes.map(([cid, bytes]) => [textOf(cid), bytes]);
}

function isSame(a: CidBytes, b: CidBytes): boolean {
  return Buffer.compare(a, b) === 0;
}

/** A CAR of what proves a commit: all nodes that are new, and those of the right edge before it. */
function proofOf(root: Cid, blocks: Iterable<readonly [Cid, Uint8Array]>): Uint8Array {
  const car = new CarWriter(root);
  for (const [cid, bytes] of blocks) car.add(cid, bytes);
  return new Uint8Array(Buffer.concat([...car.takeFull(), car.takeRest()]));
}
