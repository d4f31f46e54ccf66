import { Prisma } from '@stratos/prisma';
import type { Database, Transaction } from '../database.ts';
import { checkDerived } from './check-derived.ts';
import { checkMembership } from './check-membership.ts';
import { checkPost } from './check-post.ts';
import { checkReaders } from './check-readers.ts';
import { CheckedProofs } from './checked-proofs.ts';
import type { Flaw } from './flaw.ts';
import type { KeysOfEntry } from './node-keys.ts';
import { type PersonAtNode, readPerson, type StoredPerson } from './stored-person.ts';

const POSTS_AT_ONCE = 500;
/** What the largest repo may take. */
const TIMEOUT_MS = 30 * 60_000;

export interface PersonReport {
  posts: number;
  flaws: Flaw[];
}

/**
 * Recomputes all that is stored of a person at a node, as of one moment: the indexer may go on meanwhile.
 *
 * @param keysOfEntry - undefined where signatures of the node are not to be looked at
 */
export async function verifyPerson(
  db: Database,
  person: PersonAtNode,
  keysOfEntry: KeysOfEntry | undefined,
): Promise<PersonReport> {
  const isolationLevel = Prisma.TransactionIsolationLevel.RepeatableRead;
  return db.$transaction(
    async (tx) => {
      const stored = await readPerson(tx, person);
      const report: PersonReport = { posts: 0, flaws: [] };
      for (const kind of checkMembership(stored, keysOfEntry))
        report.flaws.push({ kind, ...person });
      await verifyPosts(tx, stored, report);
      const derived = await checkDerived(tx, person);
      report.flaws.push(...derived.map((flaw) => ({ ...flaw, ...person })));
      return report;
    },
    { isolationLevel, maxWait: 15_000, timeout: TIMEOUT_MS },
  );
}

async function verifyPosts(
  tx: Transaction,
  stored: StoredPerson,
  report: PersonReport,
): Promise<void> {
  const { did, nodeDid, resync } = stored;
  const proofs = new CheckedProofs(stored);
  for (let after = ''; ; ) {
    const posts = await tx.post.findMany({
      where: { did, nodeDid, uri: { gt: after } },
      orderBy: { uri: 'asc' },
      take: POSTS_AT_ONCE,
      include: { readers: { where: { nodeDid } } },
    });
    const uris = posts.map(({ uri }) => uri);
    const graves = await tx.tombstone.findMany({ where: { nodeDid, uri: { in: uris } } });
    const buried = new Set(graves.map(({ uri }) => uri));
    const revs = new Set(posts.flatMap(({ proofRev }) => proofRev ?? []));
    for (const kind of await proofs.load(tx, revs)) report.flaws.push({ kind, did, nodeDid });
    for (const post of posts) {
      const note = (kind: Flaw['kind']) => report.flaws.push({ kind, did, nodeDid, uri: post.uri });
      if (post.proofRev === null && !resync) note('no-proof');
      if (buried.has(post.uri)) note('buried');
      for await (const kind of checkPost(post, nodeDid, proofs.get(post.proofRev))) note(kind);
      for (const kind of checkReaders(post, stored)) note(kind);
    }
    report.posts += posts.length;
    if (posts.length < POSTS_AT_ONCE) return;
    after = uris.at(-1) ?? '';
  }
}
