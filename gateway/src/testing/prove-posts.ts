import {
  type Boundary,
  type Did,
  parseAtUri,
  type SigningKey,
  signMembershipEntry,
} from '@stratos/protocol';
import { SignedRepo } from '@stratos/protocol/testing';
import type { World, WrittenPost } from './world.ts';

export interface ProvePostsOptions {
  author: Did;
  node: Did;
  nodeKey: SigningKey;
  /** What the node states that the author is a member of. */
  boundaries: Boundary[];
  /** All written in one commit. */
  posts: readonly WrittenPost[];
}

/** Signs posts of a world as their author does, and states as the node does who that is. */
export async function provePosts(world: World, options: ProvePostsOptions): Promise<SignedRepo> {
  const { author, node, nodeKey, boundaries, posts } = options;
  const repo = new SignedRepo(author);
  const { rev, commit, signingKey, car } = await repo.commit(
    posts.map(({ uri, cid }) => [keyOf(uri), cid] as const),
  );
  const { bytes: entry } = await signMembershipEntry(
    {
      seq: 1,
      prev: undefined,
      service: node,
      did: author,
      active: true,
      boundaries,
      signingKey,
      issuedAt: new Date(),
    },
    nodeKey,
  );
  const { prisma } = world;
  await world.member(author, node, boundaries);
  await prisma.membership.update({
    where: { did_nodeDid: { did: author, nodeDid: node } },
    data: { signingKey, entry: new Uint8Array(entry) },
  });
  const id = { did: author, nodeDid: node };
  await prisma.proof.create({ data: { ...id, rev, commit, signingKey, car: new Uint8Array(car) } });
  await prisma.post.updateMany({
    where: { nodeDid: node, uri: { in: posts.map(({ uri }) => uri) } },
    data: { proofRev: rev },
  });
  return repo;
}

function keyOf(uri: WrittenPost['uri']): string {
  const { collection, rkey } = parseAtUri(uri);
  return `${collection}/${rkey}`;
}
