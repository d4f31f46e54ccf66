import { TID } from '@atproto/common-web';
import {
  Author,
  bytesOf,
  create,
  type LyingNode,
  type UnplacedCommit,
} from '@stratos/indexer/testing';
import {
  type MembershipEntry,
  SigningKey,
  signMembershipEntry,
  toBoundary,
  toDid,
} from '@stratos/protocol';
import { UNHEARD_OF } from './appview-state.ts';

export const ELSEWHERE = toDid('did:web:elsewhere.invalid');

/** Far ahead of all clocks. */
const FAR_REVISION = '7zzzzzzzzzzzz';

/** What a lie is about. */
export interface Liar {
  node: LyingNode;
  /** Whose repo is lied about. It goes on as if nothing had been said. */
  author: Author;
  rkey: string;
  /** A boundary that the author holds. */
  boundary: string;
}

export interface RepoLiar {
  author: Author;
  /** The repo as it was once. */
  earlier: Uint8Array;
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
  'an operation twice': forged((honest) => ({ ...honest, ops: [...honest.ops, ...honest.ops] })),
  'an old commit once more': async ({ node, author }) => {
    const old = node.events.find(({ type, body }) => {
      return type === '#commit' && (body as { did?: unknown }).did === author.did;
    });
    if (old) node.commit(old.body as UnplacedCommit);
  },
  'a repo of the year 2100': async ({ node, author }) => {
    const { did, key } = author;
    node.commit(await (await Author.create(did, FAR_REVISION, key)).genesis());
  },
  'a repo of somebody else': forged((honest, { node }) => ({ ...honest, did: node.did as never })),
};

/** What is said once, on one connection, after all that there is. */
export const FRAME_LIES: Readonly<Record<string, (liar: Liar) => Promise<Uint8Array>>> = {
  'no frame at all': async () => new Uint8Array(40).fill(0xff),
  'an empty frame': async () => new Uint8Array(),
  'half a frame': async ({ node }) => bytesOf(await node.heartbeat()).subarray(0, 30),
  'a heartbeat by another key': async ({ node }) =>
    bytesOf(await node.heartbeat({ seq: UNHEARD_OF, signedBy: SigningKey.generate('secp256k1') })),
  'a heartbeat of another node': async ({ node }) =>
    bytesOf(await node.heartbeat({ seq: UNHEARD_OF, service: ELSEWHERE })),
  'a heartbeat of the future': async ({ node }) =>
    bytesOf(await node.heartbeat({ time: new Date(Date.now() + 60 * 60_000) })),
  'a heartbeat from ahead': async ({ node }) =>
    bytesOf(await node.heartbeat({ seq: node.position + 1_000 })),
  'a membership by another key': (liar) =>
    membership(liar, { signedBy: SigningKey.generate('secp256k1') }),
  'a membership that skips one': (liar) => membership(liar, { seq: (liar.node.log?.seq ?? 0) + 2 }),
  'a membership with another past': (liar) => membership(liar, { prev: undefined }),
  'a membership of another node': (liar) => membership(liar, { service: ELSEWHERE }),
  'a membership in what is of another node': (liar) =>
    membership(liar, { boundaries: [toBoundary(`${ELSEWHERE}/art`)] }),
};

/** An entry that is in no log, where the next would be. */
async function membership(
  { node, author }: Liar,
  lie: Partial<MembershipEntry> & { signedBy?: SigningKey },
): Promise<Uint8Array> {
  const { signedBy = node.key, ...fields } = lie;
  const { bytes: entry } = await signMembershipEntry(
    {
      seq: (node.log?.seq ?? 0) + 1,
      prev: node.log?.cid,
      service: node.did,
      did: author.did,
      active: true,
      boundaries: ['art', 'secret'].map((name) => node.boundary(name)),
      signingKey: author.key.did(),
      issuedAt: new Date(),
      ...fields,
    },
    signedBy,
  );
  const body = { time: new Date().toISOString(), entry, seq: node.position + 1 };
  return bytesOf({ type: '#membership', body });
}

/** What a node gives instead of somebody's repo. */
export const REPO_LIES: Readonly<Record<string, (liar: RepoLiar) => Promise<Uint8Array>>> = {
  'of another key': async ({ author }) => (await Author.create(author.did, soon())).car(),
  'of somebody else': async ({ author }) => {
    const other = await Author.create(ELSEWHERE, soon(), author.key);
    return other.car();
  },
  'of the year 2100': async ({ author }) =>
    (await Author.create(author.did, FAR_REVISION, author.key)).car(),
  'of before': async ({ earlier }) => earlier,
  'without its records': ({ author }) => author.car({ without: (block) => block.length > 150 }),
  'cut off': async ({ author }) => {
    const car = await author.car();
    return car.subarray(0, car.length / 2);
  },
  'with another byte': async ({ author }) => {
    const car = await author.car();
    car[car.length - 10] = 1 + (car[car.length - 10] ?? 0);
    return car;
  },
};

/** A revision that is ahead by no more than a clock may be, so that what has it seems to be the newest. */
function soon(): string {
  return TID.fromTime((Date.now() + 60_000) * 1_000, 1).toString();
}
