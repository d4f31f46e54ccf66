import type { Create, Delete, Update } from '@atproto/sync';
import type { Prisma } from '@stratos/prisma';
import { parseStub } from '@stratos/protocol';
import { announce, type Change } from '../changes/announce.ts';
import { lockReaders, type Transaction } from '../database.ts';
import type { PdsSurroundings } from './apply-enrollment.ts';
import { takeRevision } from './pds-revision.ts';

type StoredStub = Prisma.StubGetPayload<object>;

/** What the PDS has at a URI. */
interface StubNews {
  did: string;
  uri: string;
  rev: string;
  /** Undefined for one that is gone. */
  record: unknown;
}

/** Keeps the public pointers to private records. They are hints: nothing becomes readable by one. */
export async function applyStub(
  { write }: PdsSurroundings,
  event: Create | Update | Delete,
): Promise<void> {
  const { did, rev } = event;
  const uri = event.uri.toString();
  const record = event.event === 'delete' ? undefined : event.record;
  await write(async (tx) => {
    if (!(await takeRevision(tx, did, rev))) return;
    const before = await tx.stub.findUnique({ where: { uri } });
    await announce(tx, await writeStub(tx, { did, uri, rev, record }, before));
  });
}

/**
 * Makes the pointers of a person those that are on their PDS. Called under the locks of the person's readers at
 * all nodes that are named, and before anything is announced.
 *
 * @returns what is to be announced
 */
export async function replaceStubs(
  tx: Transaction,
  { did, rev, stubs }: { did: string; rev: string; stubs: ReadonlyMap<string, unknown> },
): Promise<Change[]> {
  const stored = await tx.stub.findMany({ where: { did } });
  const before = new Map(stored.map((stub) => [stub.uri, stub]));
  const changes: Change[] = [];
  for (const uri of new Set([...before.keys(), ...stubs.keys()])) {
    const news = { did, uri, rev, record: stubs.get(uri) };
    changes.push(...(await writeStub(tx, news, before.get(uri))));
  }
  return changes;
}

/**
 * Makes the pointer at a URI what the record there says, if it says anything.
 *
 * @returns what is to be announced: a post that was not shown while its pointer named another version
 */
async function writeStub(
  tx: Transaction,
  { did, uri, rev, record }: StubNews,
  before: StoredStub | null | undefined,
): Promise<Change[]> {
  const parsed = record === undefined ? undefined : parseStub(record);
  const stub = parsed?.uri === uri ? parsed : undefined;
  if (!stub) await tx.stub.deleteMany({ where: { uri } });
  else {
    const values = { did, nodeDid: stub.nodeDid, subjectCid: stub.cid, rev };
    await tx.stub.upsert({ where: { uri }, create: { uri, ...values }, update: values });
  }
  if (!before) return [];
  const named = stub?.nodeDid === before.nodeDid ? stub.cid : undefined;
  return named === before.subjectCid ? [] : shownBy(tx, before, named);
}

/** The post that a pointer hid by naming another version, if there is one that is shown from here on. */
async function shownBy(
  tx: Transaction,
  { did, uri, nodeDid, subjectCid }: StoredStub,
  named: string | undefined,
): Promise<Change[]> {
  // A version that is just being written is announced by whoever does, or is there afterwards.
  await lockReaders(tx, [did], nodeDid);
  const readers = await tx.postBoundary.findMany({
    where: { uri, nodeDid, AND: [{ cid: { not: subjectCid } }, { cid: named }] },
  });
  if (readers.length === 0) return [];
  const boundaries = readers.map(({ boundary }) => boundary);
  return [{ kind: 'post', nodeDid, did, uri, boundaries }];
}
