import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LexMap } from '@atproto/lex-data';
import { SigningKey, toDid } from '@stratos/protocol';
import { reportToParent } from '../child.ts';
import { SignedRepo } from './signed-repo.ts';
import { StubNode } from './stub-node.ts';

/** What the process is asked to make. */
export interface StubPlan {
  nodes: number;
  /** At the first of the nodes. */
  people: number;
  /** Commits of one record each, in turn of everybody, that are in the stream from the beginning. */
  commits: number;
  /** Commits that are made and not sent before they are asked for. */
  live: number;
  /** Records that each repo has from the beginning, of which the stream tells nothing. */
  records: number;
}

/** What there is to follow. */
export interface StubDescription {
  nodes: { did: string; url: string }[];
  boundary: string;
  people: { did: string; signingKey: string }[];
}

const TEXT = 'What a post has to say, which is mostly not long. ';

const plan: StubPlan = JSON.parse(process.argv[2] ?? '{}');
const opened = new AsyncDisposableStack();
const nodeKey = SigningKey.generate('secp256k1');
const nodes: StubNode[] = [];
while (nodes.length < plan.nodes) nodes.push(opened.use(await StubNode.start(nodeKey)));
const [first] = nodes;
if (!first) throw new Error('there is no node');
const repos = Array.from({ length: plan.people }, (_, i) => new SignedRepo(didOf(i)));
for (const repo of repos) {
  await first.enroll(repo);
  if (plan.records > 0) {
    const texts = Array.from({ length: plan.records }, (_, i) => `${i} ${TEXT.repeat(3)}`);
    await repo.post(first.boundary, texts);
  }
}
for (let i = 0; i < plan.commits; i++) first.place('#commit', await commit(i));
const live: LexMap[] = [];
while (live.length < plan.live) live.push(await commit(live.length));

const control = createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
  const answer =
    pathname === '/emit' ? await emit(Number(searchParams.get('rate'))) : describe(first);
  response.end(JSON.stringify(answer));
});
control.listen(0, '127.0.0.1', () => {
  reportToParent((control.address() as AddressInfo).port, opened);
});

function commit(i: number): Promise<LexMap> {
  const repo = repos[i % repos.length];
  if (!repo || !first) throw new Error('there is nobody');
  return repo.post(first.boundary, [`${i} ${TEXT.repeat(3)}`]);
}

function describe(node: StubNode): StubDescription {
  return {
    nodes: nodes.map(({ did, url }) => ({ did, url })),
    boundary: node.boundary,
    people: repos.map(({ did, key }) => ({ did, signingKey: key.did() })),
  };
}

/** Sends what was held back, so many a second, and says when each was sent: by URI, in epoch ms. */
async function emit(rate: number): Promise<Record<string, number>> {
  const sent: Record<string, number> = {};
  const start = performance.now();
  for (const [i, body] of live.entries()) {
    const due = start + (i * 1000) / rate;
    while (performance.now() < due) await sleep(1);
    const [op] = body['ops'] as { path: string }[];
    sent[`at://${body['did']}/${op?.path}`] = performance.timeOrigin + performance.now();
    first?.place('#commit', body);
  }
  return sent;
}

function didOf(index: number) {
  const letters = String(index).replaceAll(/\d/g, (digit) => 'abcdefghij'[Number(digit)] ?? '');
  return toDid(`did:plc:${letters.padStart(24, 'a')}`);
}
