import { verifyRepoCar } from '@atproto/repo';
import {
  enrollmentRkey,
  parseEnrollmentRecord,
  parseStub,
  signingKeysOf,
  verifyAttestation,
} from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import type { Person } from '../bench/people.ts';
import { type DoomedNode, NODE_DID } from './doomed-node.ts';
import { COLLECTION, type Standing } from './ledger.ts';
import type { Observer } from './observer.ts';
import type { UnsteadyPds } from './unsteady-pds.ts';
import type { Writer } from './writer.ts';

const { getRepo } = zone.stratos.sync;
const ENROLLMENT = zone.stratos.actor.enrollment.$nsid;

/** The standings that the log ends with, in the form of the ledger. */
export function standingsOf(observer: Observer): Map<string, Standing> {
  const standings = observer.standings.values();
  return new Map(
    standings.map(({ did, active, boundaries }) => [did, active ? boundaries.join() : undefined]),
  );
}

/**
 * What is wrong with somebody's repo: it must verify, be what the stream said, and have all that was
 * acknowledged to their writers.
 */
export async function repoProblems(
  node: DoomedNode,
  person: Person,
  observer: Observer,
  writers: readonly Writer[],
): Promise<string[]> {
  const { did } = person;
  const seen = observer.repos.get(did);
  const signingKey = observer.standings.get(did)?.signingKey;
  const { status, body } = await node.call<Uint8Array>(person, getRepo.$nsid, { params: { did } });
  if (status !== 200) return [`${did}: getRepo answered ${status}`];
  const { creates, commit } = await verifyRepoCar(body, did, signingKey);
  const paths = creates.map(
    ({ collection, rkey, cid }) => [`${collection}/${rkey}`, `${cid}`] as const,
  );
  const problems: string[] = [];
  if (seen?.commit !== commit.cid.toString()) {
    problems.push(`the repo is at ${commit.rev}, the stream at ${seen?.rev}`);
  }
  if (!isSame(new Map(paths), seen?.records)) problems.push('repo and stream have other records');
  const found = new Map(paths.map(([path, cid]) => [path.slice(COLLECTION.length + 1), cid]));
  for (const { ledger } of writers) {
    problems.push(...ledger.settle(found));
    const missing = [...ledger.revs].filter((rev) => !seen?.revs.has(rev));
    if (missing.length > 0) problems.push(`the stream lacks acknowledged ${missing.join()}`);
  }
  return problems.map((problem) => `${did}: ${problem}`);
}

/** What the PDS has too much, too little or wrong of somebody, once the outbox has drained. */
export async function pdsProblems(
  node: DoomedNode,
  person: Person,
  observer: Observer,
  pds: UnsteadyPds,
): Promise<string[]> {
  const { did } = person;
  const standing = observer.standings.get(did);
  const isActive = standing?.active === true;
  const stubs = pds.recordsOf(did, COLLECTION).map(([uri, value]) => {
    const stub = parseStub(value);
    return [uri, stub?.uri === uri ? stub.cid : 'no stub'] as const;
  });
  const records = isActive ? [...(observer.repos.get(did)?.records ?? [])] : [];
  const wanted = records.map(([path, cid]) => [`at://${did}/${path}`, cid] as const);
  const problems: string[] = [];
  if (!isSame(new Map(stubs), new Map(wanted))) {
    problems.push(`stubs: ${difference(new Map(stubs), new Map(wanted))}`);
  }
  const [[uri, value] = [], ...more] = pds.recordsOf(did, ENROLLMENT);
  if (more.length > 0) problems.push('there are several enrollment records');
  if (!isActive && uri) problems.push('an enrollment record is left over');
  if (isActive && uri !== `at://${did}/${ENROLLMENT}/${enrollmentRkey(NODE_DID)}`) {
    problems.push('the enrollment record is missing');
  }
  if (isActive && standing && uri) {
    const record = parseEnrollmentRecord(value as Parameters<typeof parseEnrollmentRecord>[0]);
    const keys = signingKeysOf(await (await fetch(`${node.url}/.well-known/did.json`)).json());
    const { boundaries, signingKey } = standing;
    const holds =
      record && verifyAttestation(record.attestation, { did, boundaries, signingKey }, keys);
    if (!holds) problems.push('the enrollment record does not say what is true');
  }
  return problems.map((problem) => `${did}: ${problem}`);
}

type Records = ReadonlyMap<string, string>;

function isSame(one: Records, other: Records = new Map()): boolean {
  return one.size === other.size && [...one].every(([key, value]) => other.get(key) === value);
}

function difference(is: Records, mustBe: Records): string {
  const missing = [...mustBe.keys()].filter((key) => !is.has(key));
  const extra = [...is.keys()].filter((key) => !mustBe.has(key));
  const stale = [...is].filter(([key, value]) => mustBe.has(key) && mustBe.get(key) !== value);
  return `${missing.length} missing, ${extra.length} left over, ${stale.length} stale`;
}
