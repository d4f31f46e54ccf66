import type { Create, Delete, Update } from '@atproto/sync';
import { type EnrollmentRecord, parseEnrollmentRecord } from '@stratos/protocol';
import { type Database, inTransaction, lockActorAtNode, type Transaction } from '../database.ts';
import { refreshReaders } from '../visibility/readers.ts';
import { takeRevision } from './pds-revision.ts';

/** What is found out about people and nodes by asking others, while events go on. */
export interface Lookups {
  /** The node that was found behind a service URL not long ago. Asks nobody. */
  knownNode(serviceUrl: string): string | undefined;
  /** Called when an enrollment is there whose node is still to be found. */
  findNode(serviceUrl: string): void;
  /** Called when somebody's handle is due to be looked up. */
  findHandle(did: string): void;
}

export interface EnrollmentSurroundings {
  db: Database;
  lookups: Lookups;
}

/** Takes over what a person's PDS says about an enrollment, and what follows for readers. */
export async function applyEnrollment(
  { db, lookups }: EnrollmentSurroundings,
  event: Create | Update | Delete,
): Promise<void> {
  const { did, rkey, rev } = event;
  // A record that can no longer be read says no more than one that was deleted.
  const record = event.event === 'delete' ? undefined : parseEnrollmentRecord(event.record);
  const found = record && lookups.knownNode(record.service);

  const isOpen = await inTransaction(db, async (tx) => {
    if (!(await takeRevision(tx, did, rev, { isNew: record !== undefined }))) return false;
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
    return nodeDid === null;
  });
  if (!record) return;
  if (isOpen) lookups.findNode(record.service);
  lookups.findHandle(did);
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
