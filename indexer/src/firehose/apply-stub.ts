import type { Create, Delete, Update } from '@atproto/sync';
import { parseStub } from '@stratos/protocol';
import { type Database, inTransaction } from '../database.ts';
import { takeRevision } from './pds-revision.ts';

/** Keeps the public pointers to private records. They are hints: nothing becomes readable by one. */
export async function applyStub(db: Database, event: Create | Update | Delete): Promise<void> {
  const { did, rev } = event;
  const uri = event.uri.toString();
  const stub = event.event === 'delete' ? undefined : parseStub(event.record);
  await inTransaction(db, async (tx) => {
    if (!(await takeRevision(tx, did, rev))) return;
    if (stub?.uri !== uri) {
      await tx.stub.deleteMany({ where: { uri } });
      return;
    }
    const values = { did, nodeDid: stub.nodeDid, subjectCid: stub.cid, rev };
    await tx.stub.upsert({ where: { uri }, create: { uri, ...values }, update: values });
  });
}
