import type { Create, Delete, Update } from '@atproto/sync';
import { type EnrollmentRecord, parseEnrollmentRecord } from '@stratos/protocol';
import { type Database, inTransaction, lockActorAtNode, type Transaction } from '../database.ts';
import { refreshReaders } from '../visibility/readers.ts';
import { takeRevision } from './pds-revision.ts';

export interface EnrollmentSurroundings {
  db: Database;
  /** The node behind a service URL, or undefined while it cannot be found. */
  findNode(serviceUrl: string): Promise<string | undefined>;
  /** The verified handle, or undefined. */
  handleOf(did: string): Promise<string | undefined>;
}

/** Takes over what a person's PDS says about an enrollment, and what follows for readers. */
export async function applyEnrollment(
  { db, findNode, handleOf }: EnrollmentSurroundings,
  event: Create | Update | Delete,
): Promise<void> {
  const { did, rkey, rev } = event;
  // A record that can no longer be read says no more than one that was deleted.
  const record = event.event === 'delete' ? undefined : parseEnrollmentRecord(event.record);
  const found = record && (await findNode(record.service));
  const handle = record && (await handleOf(did));

  await inTransaction(db, async (tx) => {
    if (!(await takeRevision(tx, did, rev, record ? { handle } : undefined))) return;
    const before = await tx.enrollment.findUnique({ where: { did_rkey: { did, rkey } } });
    // A node that is down just now is still the one that was found behind the same URL.
    const known = before?.serviceUrl === record?.service ? before?.nodeDid : undefined;
    const nodeDid = record ? (found ?? known ?? null) : null;
    const touched = new Set([before?.nodeDid, nodeDid].filter((node) => node != null));
    const nodes = [...touched].sort();
    for (const node of nodes) await lockActorAtNode(tx, did, node);
    if (record) await writeEnrollment(tx, { did, rkey, rev, nodeDid }, record);
    else await tx.enrollment.deleteMany({ where: { did, rkey } });
    for (const node of nodes) await refreshReaders(tx, did, node);
  });
}

async function writeEnrollment(
  tx: Transaction,
  at: { did: string; rkey: string; rev: string; nodeDid: string | null },
  record: EnrollmentRecord,
): Promise<void> {
  const { did, rkey, rev, nodeDid } = at;
  const values = {
    rev,
    nodeDid,
    serviceUrl: record.service,
    signingKey: record.signingKey,
    boundaries: record.boundaries,
    enrolledAt: record.createdAt,
    lastChecked: new Date(),
  };
  await tx.enrollment.upsert({
    where: { did_rkey: { did, rkey } },
    create: { did, rkey, ...values },
    update: values,
  });
}
