import type { LexMap } from '@atproto/lex-data';
import { WriteOpAction } from '@atproto/repo';
import type { NsidString, RecordKeyString } from '@atproto/syntax';
import {
  type AtUri,
  type Boundary,
  buildStub,
  type Cid,
  type Did,
  encodeRecord,
  recordUri,
  SigningKey,
  type Tid,
} from '@stratos/protocol';
import { viewerOf } from '../access/viewer.ts';
import { visibleRecord } from '../access/visible-records.ts';
import type { NodeContext } from '../context.ts';
import { NodeError } from '../node-error.ts';
import { nextCommit } from '../repo/build-commit.ts';
import type { ActorTransactor, RepoRoot, StubChange } from '../storage/actor-storage.ts';
import { enrolled } from './enrolled.ts';
import * as rules from './record-rules.ts';

export interface CreateRecordInput {
  collection: string;
  rkey: string;
  record: LexMap;
  validate?: boolean | undefined;
  swapCommit?: string | undefined;
}

export interface CreatedRecord {
  uri: AtUri;
  cid: Cid;
  commit: { cid: Cid; rev: Tid };
  validationStatus: 'valid' | 'unknown';
}

/** Writes a record into its author's repo. Returns once it is durable and published. */
export async function createRecord(
  ctx: NodeContext,
  author: Did,
  input: CreateRecordInput,
): Promise<CreatedRecord> {
  return ctx.locks.run(author, async () => {
    const enrollment = await enrolled(ctx, author);
    ctx.writeRate.take(author);
    rules.checkCollection(input.collection);
    rules.checkRecordKey(input.collection, input.rkey);
    const record = rules.typedRecord(input.collection, input.record);
    rules.checkContent(record);
    const validationStatus = rules.checkLexicon(input.collection, record, input.validate);
    const boundaries = rules.writtenBoundaries(record, {
      did: ctx.config.serviceDid,
      boundaries: ctx.config.boundaries,
    });
    if (!boundaries.every((boundary) => enrollment.boundaries.includes(boundary))) {
      throw new NodeError('ForbiddenBoundary');
    }
    await checkReply(ctx, author, record, boundaries);
    const { uri, cid, commit } = await write(ctx, author, { ...input, record, boundaries });
    return { uri, cid, commit, validationStatus };
  });
}

/**
 * A reply goes to nobody to whom the record that it answers did not go. A record that the author
 * may not see is treated like one that this node does not have, so that nothing is learned of it.
 */
async function checkReply(
  ctx: NodeContext,
  author: Did,
  record: LexMap,
  boundaries: readonly Boundary[],
): Promise<void> {
  const targets = rules.replyTargets(record);
  if (!targets) return;
  const parent = await visibleRecord(ctx, await viewerOf(ctx, author), targets.parent);
  if (parent && !boundaries.every((boundary) => parent.boundaries.includes(boundary))) {
    throw new NodeError('InvalidRecord', 'A reply cannot go beyond the boundaries of its parent');
  }
}

type Checked = CreateRecordInput & { boundaries: Boundary[] };

async function write(ctx: NodeContext, author: Did, checked: Checked) {
  const uri = recordUri(author, checked.collection, checked.rkey);
  const { cid, bytes } = await encodeOrRefuse(checked.record);
  if (bytes.length > rules.MAX_RECORD_BYTES)
    throw new NodeError('InvalidRecord', 'The record is too large');
  await ctx.publisher.beforeWrite(author);
  const commit = await ctx.actors.write(author, async (actor) => {
    const existing = await actor.record(uri);
    if (existing) return repeated(actor, existing, cid);
    await checkSwapCommit(actor, checked.swapCommit);
    return commitCreate(ctx, actor, { ...checked, uri, cid });
  });
  await ctx.publisher.publish(author);
  return { uri, cid, commit };
}

async function encodeOrRefuse(record: LexMap) {
  try {
    return await encodeRecord(record);
  } catch (cause) {
    throw new NodeError('InvalidRecord', 'The record cannot be encoded', { cause });
  }
}

/** The answer to a request that was already carried out. */
async function repeated(
  actor: ActorTransactor,
  existing: { cid: Cid; rev: Tid },
  cid: Cid,
): Promise<RepoRoot> {
  const commit = await actor.commitOf(existing.rev);
  if (existing.cid !== cid || !commit) {
    throw new NodeError('InvalidRequest', 'There is already another record with this key');
  }
  return { cid: commit, rev: existing.rev };
}

export async function checkSwapCommit(
  actor: ActorTransactor,
  expected: string | undefined,
): Promise<void> {
  if (expected === undefined) return;
  if ((await actor.root())?.cid !== expected) throw new NodeError('InvalidSwap');
}

async function commitCreate(
  ctx: NodeContext,
  actor: ActorTransactor,
  { uri, cid, collection, rkey, record, boundaries }: Checked & { uri: AtUri; cid: Cid },
): Promise<RepoRoot> {
  const key = SigningKey.import('P-256', await actor.signingKey());
  const commit = await nextCommit(actor, key, {
    write: {
      action: WriteOpAction.Create,
      collection: collection as NsidString,
      rkey: rkey as RecordKeyString,
      record,
    },
    op: { action: 'create', path: `${collection}/${rkey}`, cid, boundaries },
    stub: stubFor(ctx, { uri, cid, collection, rkey, record }),
  });
  await actor.applyCommit(commit);
  return commit.root;
}

function stubFor(
  ctx: NodeContext,
  {
    uri,
    cid,
    collection,
    rkey,
    record,
  }: Pick<Checked, 'collection' | 'rkey' | 'record'> & { uri: AtUri; cid: Cid },
): StubChange | undefined {
  if (!ctx.config.stubs) return undefined;
  const { serviceDid: nodeDid, serviceFragment: fragment } = ctx.config;
  return {
    action: 'put',
    collection,
    rkey,
    stub: buildStub({ uri, cid, nodeDid, fragment, record }),
  };
}
