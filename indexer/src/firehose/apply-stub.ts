import type { Create, Delete, Update } from '@atproto/sync';
import { parseStub } from '@stratos/protocol';
import { announce } from '../changes/announce.ts';
import { lockReaders, type Transaction } from '../database.ts';
import type { PdsSurroundings } from './apply-enrollment.ts';
import { takeRevision } from './pds-revision.ts';

/** Keeps the public pointers to private records. They are hints: nothing becomes readable by one. */
export async function applyStub(
  { write }: PdsSurroundings,
  event: Create | Update | Delete,
): Promise<void> {
  const { did, rev } = event;
  const uri = event.uri.toString();
  const record = event.event === 'delete' ? undefined : event.record;
  await write(async (tx) => {
    if (await takeRevision(tx, did, rev)) await writeStub(tx, { did, uri, rev, record });
  });
}

/**
 * Makes the pointer at a URI what the record there says, if it says anything. A post that is not shown while its
 * pointer names another version is announced when that ends.
 */
export async function writeStub(
  tx: Transaction,
  { did, uri, rev, record }: { did: string; uri: string; rev: string; record: unknown },
): Promise<void> {
  const parsed = record === undefined ? undefined : parseStub(record);
  const stub = parsed?.uri === uri ? parsed : undefined;
  const before = await tx.stub.findUnique({ where: { uri } });
  if (!stub) await tx.stub.deleteMany({ where: { uri } });
  else {
    const values = { did, nodeDid: stub.nodeDid, subjectCid: stub.cid, rev };
    await tx.stub.upsert({ where: { uri }, create: { uri, ...values }, update: values });
  }
  if (!before) return;
  const named = stub?.nodeDid === before.nodeDid ? stub.cid : undefined;
  if (named !== before.subjectCid) await announceShown(tx, { ...before, named });
}

/** @param subjectCid - what was named until now; `named` is what is from here on, if the node still is */
async function announceShown(
  tx: Transaction,
  stub: {
    did: string;
    uri: string;
    nodeDid: string;
    subjectCid: string;
    named: string | undefined;
  },
): Promise<void> {
  const { did, uri, nodeDid, subjectCid, named } = stub;
  // A version that is just being written is announced by whoever does, or is there afterwards.
  await lockReaders(tx, [did], nodeDid);
  const readers = await tx.postBoundary.findMany({
    where: { uri, nodeDid, AND: [{ cid: { not: subjectCid } }, { cid: named }] },
  });
  if (readers.length === 0) return;
  const boundaries = readers.map(({ boundary }) => boundary);
  await announce(tx, [{ kind: 'post', nodeDid, did, uri, boundaries }]);
}
