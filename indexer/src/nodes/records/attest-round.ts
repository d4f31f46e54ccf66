import { type Did, ProofError } from '@stratos/protocol';
import { lockNodeState } from '../../applying/node-state.ts';
import { Verdict } from '../../applying/verdict.ts';
import { writeVerdict } from '../../applying/write-verdict.ts';
import { inTransaction } from '../../database.ts';
import type { NodeIdentity } from '../node-identity.ts';
import { applyWords, type WordsPlace } from './apply-words.ts';
import { askStatus, StatusError, type StatusSource } from './ask-status.ts';
import { type AttestedMember, readStatus } from './attested-member.ts';

/** People of whom a node is asked at the same time. */
const ASKED_AT_ONCE = 20;
/** People in a round who are no members yet: anybody can name a node in an enrollment record. */
const NEWCOMERS_PER_ROUND = 1_000;

export interface AttestingSource extends WordsPlace, Omit<StatusSource, 'node'> {
  node: NodeIdentity;
  leaseSeconds: number;
  /** Members that the node may have. */
  maxMembers: number;
}

/** Has a node say of everybody, again and again, whether they are enrolled there. */
export class AttestRounds {
  /** How many are members. */
  members = 0;
  #lastNewcomer = '';

  /**
   * Asks of all members, and renews the node's lease once the node has answered of each; then of those
   * whose PDS alone says so, as far as there is time.
   *
   * @throws StatusError for a node that does not answer; its lease runs out
   */
  async run(source: AttestingSource): Promise<void> {
    const begun = Date.now();
    const members = await this.#askMembers(source);
    if (members > 0) await renewLease(source, begun);
    const asking = this.#askNewcomers(source, begun + source.leaseSeconds * 500);
    const newcomers = await asking.catch((error) => {
      // Whoever makes the node fall silent about themselves has no say in what becomes of others.
      if (members > 0 && error instanceof StatusError) return 0;
      throw error;
    });
    if (members === 0 && newcomers > 0) await renewLease(source, begun);
    this.members = await countMembers(source);
  }

  async #askMembers(source: AttestingSource): Promise<number> {
    let asked = 0;
    for (let last = ''; ; ) {
      const dids = await membersAfter(source, last);
      const words = await Promise.all(dids.map((did) => wordAbout(source, did)));
      await applyWords(source, new Map(dids.map((did, i) => [did, words[i]])));
      asked += dids.length;
      if (dids.length < ASKED_AT_ONCE) return asked;
      last = dids.at(-1) ?? '';
    }
  }

  /** @returns of how many the node has answered */
  async #askNewcomers(source: AttestingSource, until: number): Promise<number> {
    let answered = 0;
    const room = Math.max(0, source.maxMembers - (await countMembers(source)));
    for (let left = Math.min(room, NEWCOMERS_PER_ROUND); left > 0 && Date.now() < until; ) {
      const limit = Math.min(left, ASKED_AT_ONCE);
      const dids = await newcomersAfter(source, this.#lastNewcomer, limit);
      const words = new Map<Did, AttestedMember | ProofError | undefined>();
      const asking = dids.map(async (did) => words.set(did, await wordAbout(source, did, 1)));
      const answers = await Promise.allSettled(asking);
      await applyWords(source, words);
      answered += words.size;
      this.#lastNewcomer = dids.length < limit ? '' : (dids.at(-1) ?? '');
      const silence = answers.find((answer) => answer.status === 'rejected');
      if (silence && words.size === 0) throw silence.reason;
      if (dids.length < limit) return answered;
      left -= dids.length;
    }
    return answered;
  }
}

async function wordAbout(
  source: AttestingSource,
  did: Did,
  attempts?: number,
): Promise<AttestedMember | ProofError | undefined> {
  const body = await askStatus(source, did, attempts);
  try {
    return readStatus(body, did, source.node);
  } catch (error) {
    if (error instanceof ProofError) return error;
    throw error;
  }
}

/** Everything that is known of members was so when the round began, or came later. */
async function renewLease(source: AttestingSource, begun: number): Promise<void> {
  const { db, nodeDid, fence, leaseSeconds } = source;
  await inTransaction(db, async (tx) => {
    const node = await lockNodeState(tx, nodeDid, fence);
    const verdict = new Verdict(node.cursor, node.log);
    verdict.lease = { heartbeatAt: new Date(begun), until: new Date(begun + leaseSeconds * 1000) };
    await writeVerdict(tx, { nodeDid, dids: [] }, verdict, node);
  });
}

function countMembers({ db, nodeDid }: WordsPlace): Promise<number> {
  return db.membership.count({ where: { nodeDid, active: true } });
}

async function membersAfter({ db, nodeDid }: WordsPlace, last: string): Promise<Did[]> {
  const rows = await db.$queryRaw<{ did: Did }[]>`
    select did from stratos_membership where node_did = ${nodeDid} and active and did > ${last}
    order by did limit ${ASKED_AT_ONCE}`;
  return rows.map(({ did }) => did);
}

async function newcomersAfter(
  { db, nodeDid }: WordsPlace,
  last: string,
  limit: number,
): Promise<Did[]> {
  const rows = await db.$queryRaw<{ did: Did }[]>`
    select distinct e.did from stratos_enrollment e
    where e.node_did = ${nodeDid} and e.did > ${last} and not exists (
      select from stratos_membership m
      where m.did = e.did and m.node_did = e.node_did and m.active
    )
    order by e.did limit ${limit}`;
  return rows.map(({ did }) => did);
}
