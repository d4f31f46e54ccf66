import { setTimeout as sleep } from 'node:timers/promises';
import type { LexMap } from '@atproto/lex-data';
import type { PostOp, SignedRepo } from './signed-repo.ts';
import type { StubFirehose } from './stub-firehose.ts';
import type { StubNode } from './stub-node.ts';

/** What can be taken back, in the order in which it is. */
export const REVOCATIONS = [
  'post deleted',
  'post moved',
  'boundary lost',
  'unenrolled at the node',
  'account taken down',
  'enrollment deleted',
] as const;

/** How many of these, the first ones, come on the stream of a node. The others come on a firehose. */
export const ON_STREAM = 4;

/** By DID, in epoch ms. */
export type Sent = Record<string, number>;

/** Something that is taken back when it is sent. */
export interface Revocation {
  did: string;
  send: () => Promise<void> | void;
}

/** Makes one revocation of each person, of each kind in turn. */
export async function prepareRevocations(
  node: StubNode,
  firehose: StubFirehose,
  people: readonly { repo: SignedRepo; post: LexMap }[],
): Promise<Revocation[]> {
  const place = (commit: LexMap) => () => node.place('#commit', commit);
  const made = people.map(async ({ repo, post }, i): Promise<Revocation> => {
    const { did } = repo;
    const [op] = post['ops'] as unknown as PostOp[];
    if (!op) throw new Error('there is no post');
    switch (REVOCATIONS[i % REVOCATIONS.length]) {
      case 'post deleted':
        return { did, send: place(await repo.remove(op)) };
      case 'post moved':
        return { did, send: place(await repo.move(op, node.otherBoundary)) };
      case 'boundary lost':
        return { did, send: () => node.state(repo, { active: true, boundaries: [] }) };
      case 'unenrolled at the node':
        return { did, send: () => node.state(repo, { active: false, boundaries: [] }) };
      case 'account taken down':
        return { did, send: () => firehose.takeDown(did) };
      default: {
        const commit = await firehose.unenroll(did);
        return { did, send: () => firehose.tell(commit) };
      }
    }
  });
  return Promise.all(made);
}

/** Sends so many a second, and says when each was sent. */
export async function sendRevocations(
  revocations: readonly Revocation[],
  rate: number,
): Promise<Sent> {
  const sent: Sent = {};
  const start = performance.now();
  for (const [i, { did, send }] of revocations.entries()) {
    const due = start + (i * 1000) / rate;
    while (performance.now() < due) await sleep(1);
    sent[did] = performance.timeOrigin + performance.now();
    await send();
  }
  return sent;
}
