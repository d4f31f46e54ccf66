import type { Create, Delete, Update } from '@atproto/sync';
import { type EnrollmentRecord, parseEnrollmentRecord } from '@stratos/protocol';
import { lockReaders, type Transaction } from '../database.ts';
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

export interface PdsSurroundings {
  /** Writes in one transaction, as long as no other indexer has taken over the firehose. */
  write<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
  lookups: Lookups;
}

/** What a person's PDS says about enrollments, as of a revision of their repo. */
export interface EnrollmentNews {
  did: string;
  rev: string;
  /** By rkey; undefined for one that is gone, or that can no longer be read. */
  records: ReadonlyMap<string, EnrollmentRecord | undefined>;
}

/** Takes over what a person's PDS says about an enrollment, and what follows for readers. */
export async function applyEnrollment(
  { write, lookups }: PdsSurroundings,
  event: Create | Update | Delete,
): Promise<void> {
  const { did, rkey, rev } = event;
  const record = event.event === 'delete' ? undefined : parseEnrollmentRecord(event.record);
  const news = { did, rev, records: new Map([[rkey, record]]) };
  const open = await write(async (tx) => {
    const isNews = await takeRevision(tx, did, rev, { isNew: record !== undefined });
    return isNews ? writeEnrollments(tx, lookups, news) : [];
  });
  for (const serviceUrl of open) lookups.findNode(serviceUrl);
  if (record) lookups.findHandle(did);
}

/**
 * Writes what is said of a person's enrollments, and makes the readers of their posts agree.
 *
 * @returns the URLs behind which a node is still to be found
 */
export async function writeEnrollments(
  tx: Transaction,
  lookups: Lookups,
  { did, rev, records }: EnrollmentNews,
): Promise<string[]> {
  const rkeys = [...records.keys()];
  const before = await tx.enrollment.findMany({ where: { did, rkey: { in: rkeys } } });
  const written = [...records].flatMap(([rkey, record]) => {
    if (!record) return [];
    // A node that is down just now is still the one that was found behind the same URL.
    const same = before.find((known) => known.rkey === rkey && known.serviceUrl === record.service);
    const nodeDid = lookups.knownNode(record.service) ?? same?.nodeDid ?? null;
    return [{ rkey, record, nodeDid }];
  });
  const touched = new Set(
    [...before, ...written].map(({ nodeDid }) => nodeDid).filter((nodeDid) => nodeDid !== null),
  );
  const nodes = [...touched].sort();
  for (const nodeDid of nodes) await lockReaders(tx, [did], nodeDid);
  const removed = await tx.$queryRaw<{ nodeDid: string | null }[]>`
    delete from stratos_enrollment where did = ${did} and rkey = any(${rkeys}::text[])
    returning node_did as "nodeDid"`;
  // Their node may have been found since they were looked at.
  const found = new Set(removed.map(({ nodeDid }) => nodeDid)).difference(touched);
  for (const nodeDid of [...found].sort()) {
    if (nodeDid === null) continue;
    await lockReaders(tx, [did], nodeDid);
    nodes.push(nodeDid);
  }
  await tx.enrollment.createMany({
    data: written.map(({ rkey, record, nodeDid }) => ({
      did,
      rkey,
      rev,
      nodeDid,
      serviceUrl: record.service,
      signingKey: record.signingKey,
      boundaries: record.boundaries,
      enrolledAt: record.createdAt,
    })),
  });
  for (const nodeDid of nodes) await refreshReaders(tx, did, nodeDid);
  return written.filter(({ nodeDid }) => nodeDid === null).map(({ record }) => record.service);
}
