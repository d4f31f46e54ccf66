import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LexMap } from '@atproto/lex-data';
import { SigningKey, toDid } from '@stratos/protocol';
import { reportToParent } from '../child.ts';
import { prepareRevocations, type Sent, sendRevocations } from './revoke.ts';
import { SignedRepo } from './signed-repo.ts';
import { StubFirehose } from './stub-firehose.ts';
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
  /** Of the people, those from whom something is taken back when that is asked for. */
  revocable: number;
}

/** What there is to follow. */
export interface StubDescription {
  firehose: string;
  nodes: { did: string; url: string }[];
  boundary: string;
  people: { did: string; signingKey: string }[];
}

/** Milliseconds of work on a backlog before anything is taken back. */
const UNDER_WAY_MS = 2_000;
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
const firehose = opened.use(await StubFirehose.start());
const revocable: { repo: SignedRepo; post: LexMap }[] = [];
for (const repo of repos.slice(0, plan.revocable)) {
  const post = await repo.post(first.boundary, [TEXT]);
  first.place('#commit', post);
  await firehose.add(repo);
  revocable.push({ repo, post });
}
const others = repos.slice(plan.revocable);
for (let i = 0; i < plan.commits; i++) first.place('#commit', await commit(i));
const live: LexMap[] = [];
while (live.length < plan.live) live.push(await commit(live.length));
const revocations = await prepareRevocations(first, firehose, revocable);

const control = createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
  const rate = Number(searchParams.get('rate'));
  response.end(JSON.stringify(await answer(pathname, rate)));
});
control.listen(0, '127.0.0.1', () => {
  reportToParent((control.address() as AddressInfo).port, opened);
});

function answer(pathname: string, rate: number): Promise<object> | object {
  switch (pathname) {
    case '/emit':
      return emit(rate);
    case '/revoke':
      return revokeBehindBacklog(rate);
    default:
      return describe();
  }
}

async function revokeBehindBacklog(rate: number): Promise<Sent> {
  for (const body of live) first?.place('#commit', body);
  await sleep(UNDER_WAY_MS);
  return sendRevocations(revocations, rate);
}

function commit(i: number): Promise<LexMap> {
  const repo = others[i % others.length];
  if (!repo || !first) throw new Error('there is nobody');
  return repo.post(first.boundary, [`${i} ${TEXT.repeat(3)}`]);
}

function describe(): StubDescription {
  return {
    firehose: firehose.url,
    nodes: nodes.map(({ did, url }) => ({ did, url })),
    boundary: first?.boundary ?? '',
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
