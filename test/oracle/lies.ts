import { TID } from '@atproto/common-web';
import {
  type Author,
  bytesOf,
  create,
  type LyingNode,
  type UnplacedCommit,
} from '@stratos/indexer/testing';
import { SigningKey } from '@stratos/protocol';

/** What a lie is about. */
export interface Liar {
  node: LyingNode;
  /** Whose repo is lied about. It goes on as if nothing had been said. */
  author: Author;
  rkey: string;
  /** A boundary that the author holds. */
  boundary: string;
}

type Lie = (liar: Liar) => Promise<void>;

/** A commit that nobody made, changed on its way into the stream. */
function forged(change: (honest: UnplacedCommit, liar: Liar) => UnplacedCommit): Lie {
  return async (liar) => {
    const honest = await (await liar.author.fork()).post(liar.rkey, [liar.boundary], 'a lie');
    liar.node.commit(change(honest, liar));
  };
}

function withBlocks(commit: UnplacedCommit, change: (blocks: Buffer) => void): UnplacedCommit {
  const blocks = Buffer.from(commit.blocks);
  change(blocks);
  return { ...commit, blocks };
}

/** Events that are in the stream for good, and that must change nothing. */
export const COMMIT_LIES: Readonly<Record<string, Lie>> = {
  'signed by another key': async ({ node, author, rkey, boundary }) => {
    const another = SigningKey.generate('P-256');
    node.commit(await (await author.fork()).commit([create(rkey, [boundary], 'a lie')], another));
  },
  'another text than was signed': forged((honest) =>
    withBlocks(honest, (blocks) => blocks.write('b', blocks.indexOf('a lie'))),
  ),
  'bytes that are no blocks': forged((honest) =>
    withBlocks(honest, (blocks) => blocks.fill(7, 30)),
  ),
  'another tree before': forged((honest) => ({ ...honest, prevData: honest.commit })),
  'no tree before': forged(({ prevData: _, since: __, ...honest }) => honest),
  'an operation left out': async ({ node, author, rkey, boundary }) => {
    const both = [create(rkey, [boundary], 'a lie'), create(`${rkey}b`, [boundary], 'a lie')];
    const honest = await (await author.fork()).commit(both);
    node.commit({ ...honest, ops: honest.ops.slice(1) });
  },
  'an operation made up': forged((honest) => ({
    ...honest,
    ops: [...honest.ops, ...honest.ops.map((op) => ({ ...op, path: `${op.path}x` }))],
  })),
  'a delete that is none': forged((honest) => ({
    ...honest,
    ops: honest.ops.map(({ path }) => ({ action: 'delete', path })),
  })),
  'the record under another name': forged((honest) => ({
    ...honest,
    ops: honest.ops.map((op) => ({ ...op, path: `${op.path}x` })),
  })),
  'another revision than was signed': forged((honest) => ({
    ...honest,
    rev: TID.nextStr() as never,
  })),
  'another commit than was signed': forged((honest) => ({
    ...honest,
    commit: honest.prevData ?? honest.commit,
  })),
  'an old commit once more': async ({ node, author }) => {
    const old = node.events.find(({ type, body }) => {
      return type === '#commit' && (body as { did?: unknown }).did === author.did;
    });
    if (old) node.commit(old.body as UnplacedCommit);
  },
  'a repo of the year 2100': async ({ node, author }) => {
    const { did, key } = author;
    const repo = await (author.constructor as typeof Author).create(did, '7zzzzzzzzzzzz', key);
    node.commit(await repo.genesis());
  },
  'a repo of somebody else': forged((honest, { node }) => ({ ...honest, did: node.did as never })),
};

/** What is said once, on one connection, in place of or before what comes next. */
export const FRAME_LIES: Readonly<Record<string, (liar: Liar) => Promise<Uint8Array>>> = {
  'no frame at all': async () => new Uint8Array(40).fill(0xff),
  'an empty frame': async () => new Uint8Array(),
  'half a frame': async ({ node }) => bytesOf(await node.heartbeat()).subarray(0, 30),
  'a heartbeat by another key': async ({ node }) =>
    bytesOf(await node.heartbeat({ signedBy: SigningKey.generate('secp256k1') })),
  'a heartbeat from ahead': async ({ node }) =>
    bytesOf(await node.heartbeat({ seq: node.position + 1_000 })),
  'a membership by another key': (liar) =>
    membership(liar, { signedBy: SigningKey.generate('secp256k1') }),
  'a membership that skips one': (liar) => membership(liar, { seq: (liar.node.log?.seq ?? 0) + 2 }),
  'a membership with another past': (liar) => membership(liar, { prev: undefined }),
  'a membership of another node': (liar) =>
    membership(liar, { service: 'did:web:elsewhere.invalid' as never }),
};

/** An entry that is in no log. */
async function membership(
  { node, author }: Liar,
  lie: Parameters<LyingNode['membership']>[2],
): Promise<Uint8Array> {
  const { log } = node;
  const event = await node.membership(author, ['art', 'secret'], lie);
  node.log = log;
  node.entries.pop();
  node.events.pop();
  return bytesOf(event);
}
