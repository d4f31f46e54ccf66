import { TID } from '@atproto/common-web';
import { SigningKey, toBoundary, toDid } from '@stratos/protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Author, create, postRecord, remove, update } from '../testing/author.ts';
import { World } from '../testing/world.ts';
import { BrokenTrustError } from './apply-event.ts';

const REI = toDid('did:plc:aaaaaaaaaaaaaaaaaaaaaaaa');
const SAKURA = toDid('did:plc:bbbbbbbbbbbbbbbbbbbbbbbb');

let world: World;
let rei: Author;
let art: string;

beforeEach(async () => {
  world = await World.create();
  rei = await Author.create(REI);
  art = world.node.boundary('art');
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

/** rei is a member of `art`, has said so, and the repo is there. */
async function join(): Promise<void> {
  await world.enroll(rei);
  await world.apply(await world.node.membership(rei, ['art']));
  await world.apply(world.node.commit(await rei.genesis()));
}

describe('what is proven', () => {
  test('is readable in its boundary, with the bytes as they were signed', async () => {
    await join();
    const outcome = await world.apply(world.node.commit(await rei.post('3kaaa', [art], 'a\0b')));
    expect(outcome).toEqual({ cursor: 3, newest: 3, refusals: [] });
    expect(await world.readable()).toEqual(['3kaaa art']);
    const post = await world.db.post.findFirstOrThrow();
    expect(post).toMatchObject({ uri: rei.uri('3kaaa'), text: 'ab', boundaries: [art], did: REI });
    expect(post.sortAt).toEqual(post.createdAt < post.indexedAt ? post.createdAt : post.indexedAt);
  });

  test('moves with its boundaries, and leaves with its record', async () => {
    await world.enroll(rei);
    await world.apply(await world.node.membership(rei, ['art', 'writers']));
    await world.apply(world.node.commit(await rei.post('3kaaa', [art])));
    const writers = world.node.boundary('writers');
    await world.apply(world.node.commit(await rei.commit([update('3kaaa', [writers])])));
    expect(await world.readable()).toEqual(['3kaaa writers']);
    await world.apply(world.node.commit(await rei.commit([remove('3kaaa')])));
    expect(await world.readable()).toEqual([]);
    expect(await world.db.post.count()).toBe(0);
    expect(await world.db.tombstone.findMany()).toMatchObject([{ uri: rei.uri('3kaaa') }]);
  });

  test('changes nothing when it comes again', async () => {
    await join();
    await world.apply(world.node.commit(await rei.post('3kaaa', [art])));
    const before = await snapshot();
    for (const event of world.node.events) {
      expect((await world.apply(event)).cursor).toBe(3);
    }
    expect(await snapshot()).toEqual(before);
    expect(await world.refusals()).toEqual([]);
  });

  test('is not placed in the future, and may be of long ago', async () => {
    await join();
    const write = (rkey: string, createdAt: string) => {
      const op = create(rkey, [art]);
      return { ...op, record: { ...postRecord([art], 'x'), createdAt } } as typeof op;
    };
    const commit = await rei.commit([
      write('3kaaa', '2999-01-01T00:00:00.000Z'),
      write('3kbbb', '0001-01-01T00:00:00.000Z'),
    ]);
    expect((await world.apply(world.node.commit(commit))).refusals).toEqual([]);
    const posts = await world.db.post.findMany({ orderBy: { uri: 'asc' } });
    expect(posts.map(({ sortAt, indexedAt }) => sortAt <= indexedAt)).toEqual([true, true]);
    expect(posts[0]?.sortAt).toEqual(posts[0]?.indexedAt);
  });

  test('of other collections is passed over without a gap', async () => {
    await join();
    const other = { ...create('3kaaa', [art]), collection: 'zone.stratos.feed.like' };
    await world.apply(world.node.commit(await rei.commit([other as ReturnType<typeof create>])));
    await world.apply(world.node.commit(await rei.post('3kbbb', [art])));
    expect(await world.readable()).toEqual(['3kbbb art']);
  });
});

describe('a commit is refused', () => {
  test('when another key signed it', async () => {
    await join();
    const forged = await rei.commit([create('3kaaa', [art])], SigningKey.generate('P-256'));
    expect((await world.apply(world.node.commit(forged))).refusals).toEqual(['bad-signature']);
    await nothingIsStored();
  });

  test('when a record in it was altered', async () => {
    await join();
    const commit = await rei.post('3kaaa', [art], 'find-me');
    const blocks = Buffer.from(commit.blocks);
    blocks.write('lost-me', blocks.indexOf('find-me'));
    const outcome = await world.apply(world.node.commit({ ...commit, blocks }));
    expect(outcome.refusals).toHaveLength(1);
    await nothingIsStored();
  });

  test('when a commit before it is missing, and so are all that follow', async () => {
    await join();
    await rei.post('3kaaa', [art]);
    for (const rkey of ['3kbbb', '3kccc']) {
      const outcome = await world.apply(world.node.commit(await rei.post(rkey, [art])));
      expect(outcome.refusals).toEqual(rkey === '3kbbb' ? ['not-continuous'] : []);
    }
    expect(await world.db.resync.findMany()).toMatchObject([
      { did: REI, nodeDid: world.node.did, reason: 'not-continuous' },
    ]);
    expect(await world.db.waitingCommit.count()).toBe(2);
    await nothingIsStored();
  });

  test('when its tree does not follow the one that is known', async () => {
    await join();
    const honest = await rei.post('3kaaa', [art]);
    const outcome = await world.apply(world.node.commit({ ...honest, prevData: honest.commit }));
    expect(outcome.refusals).toEqual(['not-continuous']);
    await nothingIsStored();
  });

  test('when it leaves out an operation', async () => {
    await join();
    const commit = await rei.commit([create('3kaaa', [art]), create('3kbbb', [art])]);
    const outcome = await world.apply(
      world.node.commit({ ...commit, ops: commit.ops.slice(0, 1) }),
    );
    expect(outcome.refusals).toEqual(['not-included']);
    await nothingIsStored();
  });

  test('when its author is unknown to the membership log', async () => {
    await world.enroll(rei);
    const outcome = await world.apply(world.node.commit(await rei.post('3kaaa', [art])));
    expect(outcome.refusals).toEqual(['not-a-member']);
    await nothingIsStored();
  });

  test('when it is of the future', async () => {
    const tomorrow = TID.fromTime((Date.now() + 86_400_000) * 1000, 0).toString();
    rei = await Author.create(REI, tomorrow);
    await world.enroll(rei);
    await world.apply(await world.node.membership(rei, ['art']));
    for (const commit of [await rei.genesis(), await rei.post('3kaaa', [art])]) {
      const outcome = await world.apply(world.node.commit(commit));
      expect(outcome.refusals).toEqual(['in-the-future']);
    }
    await nothingIsStored();
  });

  test('when its path is none, and the stream goes on', async () => {
    await join();
    const commit = await rei.post('3kaaa', [art]);
    const ops = commit.ops.map((op) => ({ ...op, path: 'nothing/3kaaa' }));
    expect((await world.apply(world.node.commit({ ...commit, ops }))).refusals).toHaveLength(1);
    await nothingIsStored();
  });

  test('and others go on', async () => {
    await join();
    const sakura = await Author.create(SAKURA);
    await world.enroll(sakura);
    await world.apply(await world.node.membership(sakura, ['art']));
    const forged = await rei.commit([create('3kaaa', [art])], SigningKey.generate('P-256'));
    await world.apply(world.node.commit(forged));
    const outcome = await world.apply(world.node.commit(await sakura.post('3kbbb', [art])));
    expect(outcome).toEqual({ cursor: 5, newest: 5, refusals: [] });
    expect(await world.readable()).toEqual(['3kbbb art']);
    expect(await world.db.quarantined.findMany()).toMatchObject([
      { nodeDid: world.node.did, did: REI, streamSeq: 4n, reason: 'bad-signature' },
    ]);
  });

  async function nothingIsStored(): Promise<void> {
    expect(await world.db.post.count()).toBe(0);
    expect(await world.readable()).toEqual([]);
    expect((await world.refusals()).length).toBeGreaterThan(0);
    const node = await world.db.node.findFirstOrThrow();
    expect(Number(node.streamCursor)).toBe(world.node.position);
  }
});

describe('a record is refused, and the repo goes on', () => {
  test.each([
    ['a boundary of another node', () => ['did:web:other.example/art'], 'foreign-boundary'],
    [
      'a boundary that the author does not hold',
      () => [world.node.boundary('secret')],
      'boundary-not-held',
    ],
    ['no boundary', () => [], 'no-boundary'],
  ])('for %s', async (_, boundaries, reason) => {
    await join();
    const bad = world.node.commit(await rei.post('3kaaa', boundaries()));
    expect((await world.apply(bad)).refusals).toEqual([reason]);
    expect((await world.apply(world.node.commit(await rei.post('3kbbb', [art])))).refusals).toEqual(
      [],
    );
    expect(await world.readable()).toEqual(['3kbbb art']);
    expect(await world.db.post.count()).toBe(1);
  });

  test('when its lexicon does not allow it, and then its earlier version goes too', async () => {
    await join();
    await world.apply(world.node.commit(await rei.post('3kaaa', [art])));
    const long = await rei.commit([update('3kaaa', [art], 'x'.repeat(3001))]);
    expect((await world.apply(world.node.commit(long))).refusals).toEqual(['invalid-record']);
    expect(await world.db.post.count()).toBe(0);
  });

  test('when it is only a stub', async () => {
    await join();
    const op = create('3kaaa', [art]);
    const source = {
      vary: 'authenticated',
      subject: { uri: rei.uri('3kaaa'), cid: (await rei.genesis()).commit.toString() },
      service: world.node.did,
    };
    const stub = { ...op, record: { ...postRecord([art], 'x'), source } } as typeof op;
    const outcome = await world.apply(world.node.commit(await rei.commit([stub])));
    expect(outcome.refusals).toEqual(['invalid-record']);
  });

  test('when the boundary was taken from its author before', async () => {
    await join();
    await world.apply(world.node.commit(await rei.post('3kaaa', [art])));
    await world.apply(await world.node.membership(rei, []));
    const late = await world.apply(world.node.commit(await rei.post('3kbbb', [art])));
    expect(late.refusals).toEqual(['boundary-not-held']);
    expect(await world.readable()).toEqual(['3kaaa art']);
    expect(await world.db.membershipBoundary.count()).toBe(0);
  });
});

describe('a membership entry breaks trust', () => {
  test.each([
    [
      'signed by another key',
      () => world.node.membership(rei, ['art'], { signedBy: SigningKey.generate('secp256k1') }),
      'bad-signature',
    ],
    [
      'of another node',
      () => world.node.membership(rei, [], { service: toDid('did:web:other.example') }),
      'wrong-service',
    ],
    [
      'that grants a boundary of another node',
      () =>
        world.node.membership(rei, [], { boundaries: [toBoundary('did:web:other.example/art')] }),
      'wrong-boundary',
    ],
    ['that leaves a number out', () => world.node.membership(rei, [], { seq: 3 }), 'broken-chain'],
    [
      'that does not name the one before',
      () => world.node.membership(rei, [], { prev: undefined }),
      'broken-chain',
    ],
  ])('%s', async (_, lie, reason) => {
    await join();
    const before = await world.db.membership.findMany();
    const event = await lie();
    await expect(world.apply(event)).rejects.toThrow(BrokenTrustError);
    await expect(world.apply(event)).rejects.toThrow(BrokenTrustError);
    expect(await world.refusals()).toEqual([`membership:${reason}`]);
    expect(await world.db.membership.findMany()).toEqual(before);
    expect(Number((await world.db.node.findFirstOrThrow()).streamCursor)).toBe(2);
  });

  test('that was said before and comes at a new place', async () => {
    await join();
    const first = world.node.events[0]?.body as { entry: Uint8Array };
    await world.apply(await world.node.membership(rei, []));
    const replay = world.node.membershipBytes(first.entry);
    await expect(world.apply(replay)).rejects.toThrow(BrokenTrustError);
    expect(await world.db.membershipBoundary.count()).toBe(0);
  });
});

test('a process that dies between rows and cursor leaves neither', async () => {
  await world.enroll(rei);
  const events = [
    await world.node.membership(rei, ['art']),
    world.node.commit(await rei.post('3kaaa', [art])),
    world.node.commit(await rei.post('3kbbb', ['did:web:other.example/art'])),
    world.node.commit(await rei.commit([remove('3kaaa')])),
    await world.node.heartbeat(),
  ];
  for (const [index, event] of events.entries()) {
    const before = await snapshot();
    await expect(world.apply(event, world.dyingDatabase())).rejects.toThrow('killed');
    expect(await snapshot()).toEqual(before);
    expect(await world.apply(event)).toMatchObject({ cursor: Math.min(index + 1, 4) });
  }
  expect(await world.refusals()).toEqual(['foreign-boundary']);
});

test('whoever is no longer enrolled can delete, and not write', async () => {
  await join();
  await world.apply(world.node.commit(await rei.post('3kaaa', [art])));
  await world.apply(await world.node.membership(rei, ['art'], { active: false }));
  const late = await rei.commit([remove('3kaaa'), create('3kbbb', [art])]);
  expect((await world.apply(world.node.commit(late))).refusals).toEqual(['boundary-not-held']);
  expect(await world.db.post.count()).toBe(0);
});

test('somebody who comes back with another key begins anew', async () => {
  await join();
  await world.apply(world.node.commit(await rei.post('3kaaa', [art])));
  await world.apply(await world.node.membership(rei, [], { active: false }));
  const again = await Author.create(REI);
  await world.enroll(again);
  await world.apply(await world.node.membership(again, ['art']));
  expect(await world.db.post.count()).toBe(0);
  await world.apply(world.node.commit(await again.genesis()));
  await world.apply(world.node.commit(await again.post('3kbbb', [art])));
  expect(await world.refusals()).toEqual([]);
  expect(await world.readable()).toEqual(['3kbbb art']);
});

async function snapshot(): Promise<unknown> {
  const { db } = world;
  return Promise.all([
    db.node.findMany(),
    db.membership.findMany(),
    db.membershipBoundary.findMany(),
    db.post.findMany(),
    db.postBoundary.findMany(),
    db.tombstone.findMany(),
    db.repo.findMany(),
    db.quarantined.findMany(),
  ]);
}
