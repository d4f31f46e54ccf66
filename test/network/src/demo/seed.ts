import { qualifyBoundary } from '@stratos/protocol';
import { Account, type PostReference } from '../account.ts';
import { enrollAccount } from '../enroll-account.ts';
import type { NodeAdmin } from '../node-admin.ts';
import { type BoundaryName, type NodeName, nodeOf, type Topology } from '../topology.ts';
import { DEMO_ACCOUNTS, DEMO_PASSWORD, type DemoAccount } from './accounts.ts';
import { DEMO_POSTS, type DemoPost } from './posts.ts';
import type { Progress } from './progress.ts';

/** The network that the demo is put into. */
export interface SeedTarget {
  readonly topology: Topology;
  readonly nodes: Readonly<Record<NodeName, NodeAdmin>>;
}

/** Signs in to the demo accounts; those that the PDS does not have yet are made. */
export async function openDemoAccounts(pdsUrl: string): Promise<Map<string, Account>> {
  const accounts = new Map<string, Account>();
  for (const { handle } of DEMO_ACCOUNTS) {
    const name = { handle, password: DEMO_PASSWORD };
    accounts.set(handle, await Account.signInOrCreate(pdsUrl, name));
  }
  return accounts;
}

/** Enrolls a demo account with the nodes of its communities, once. */
export async function enrollDemoAccount(
  { topology, nodes }: SeedTarget,
  { handle, boundaries }: DemoAccount,
  account: Account,
  progress: Progress,
): Promise<void> {
  for (const name of new Set(boundaries.map(nodeOf))) {
    await progress.once(`enroll ${handle} ${name}`, async () => {
      const node = topology.nodes[name];
      await enrollAccount(node.url, { username: handle, password: account.password });
      const mine = boundaries.filter((boundary) => nodeOf(boundary) === name);
      await nodes[name].setBoundaries(
        account.did,
        mine.map((each) => qualifyBoundary(node.did, each)),
      );
      return {};
    });
  }
}

/** Writes a first post, once. */
export async function writeDemoPost(
  { topology }: SeedTarget,
  post: DemoPost,
  accounts: ReadonlyMap<string, Account>,
  progress: Progress,
): Promise<void> {
  await progress.once<PostReference>(`post ${post.id}`, () => {
    const author = accounts.get(post.author);
    if (!author) throw new Error(`No demo account ${post.author}`);
    const node = topology.nodes[nodeOf(post.boundary)];
    return author.post(node, {
      text: post.text,
      boundaries: [qualifyBoundary(node.did, post.boundary)],
      ...(post.replyTo ? { reply: replyTo(post.replyTo, progress) } : {}),
    });
  });
}

/** How many first posts an account finds in its timeline. */
export function expectedTimelineLength(boundaries: readonly BoundaryName[]): number {
  return DEMO_POSTS.filter((post) => boundaries.includes(post.boundary)).length;
}

function replyTo(id: string, progress: Progress): { root: PostReference; parent: PostReference } {
  const above = DEMO_POSTS.find((post) => post.id === id);
  const parent = progress.result<PostReference>(`post ${id}`);
  if (!above || !parent) throw new Error(`The post '${id}' is answered before it is written`);
  return { root: above.replyTo ? replyTo(above.replyTo, progress).root : parent, parent };
}
