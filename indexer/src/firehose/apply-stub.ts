import type { Create, Delete, Update } from '@atproto/sync';
import { parseStub } from '@stratos/protocol';
import type { Transaction } from '../database.ts';
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

/** Makes the pointer at a URI what the record there says, if it says anything. */
export async function writeStub(
  tx: Transaction,
  { did, uri, rev, record }: { did: string; uri: string; rev: string; record: unknown },
): Promise<void> {
  const stub = record === undefined ? undefined : parseStub(record);
  if (stub?.uri !== uri) {
    await tx.stub.deleteMany({ where: { uri } });
    return;
  }
  const values = { did, nodeDid: stub.nodeDid, subjectCid: stub.cid, rev };
  await tx.stub.upsert({ where: { uri }, create: { uri, ...values }, update: values });
}
