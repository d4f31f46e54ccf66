import { com, zone } from '@stratos/protocol/lexicons';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StreamClient } from '../testing/stream-client.ts';
import { AEKEA, postRecord, SWORDSMITH, TestNode, TestPerson } from '../testing/test-node.ts';
import { MAX_WRITES } from './write.ts';

const collection = zone.stratos.feed.post.$nsid;
const { create, update, delete: remove } = com.atproto.repo.applyWrites;
const { createResult, updateResult, deleteResult } = com.atproto.repo.applyWrites;
const rei = TestPerson.named('rei');
const haruki = TestPerson.named('haruki');
const mika = TestPerson.named('mika');
const ONE = '3l7777777772a';
const TWO = '3l7777777773a';
const THREE = '3l7777777774a';

let node: TestNode;
beforeEach(async () => {
  node = await TestNode.start({ people: [rei, haruki, mika] });
  await node.enroll(rei, [SWORDSMITH]);
  await node.enroll(haruki, [SWORDSMITH, AEKEA]);
});
afterEach(() => node[Symbol.asyncDispose]());

async function refusal(response: Response): Promise<[status: number, error: string]> {
  return [response.status, (await response.json()).error];
}

async function written(writes: Record<string, unknown>[], more = {}, person = haruki) {
  const response = await node.applyWrites(person, writes, more);
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  return response.json();
}

async function texts(rkeys: string[], person = haruki): Promise<(string | undefined)[]> {
  const uris = rkeys.map((rkey) => `at://${person.did}/${collection}/${rkey}`);
  const nsid = zone.stratos.repo.hydrateRecords.$nsid;
  const { records } = await (await node.procedure(person, nsid, { uris })).json();
  const found = new Map<string, string>(
    records.map(({ uri, value }: { uri: string; value: { text: string } }) => [uri, value.text]),
  );
  return uris.map((uri) => found.get(uri));
}

const newest = async (person: TestPerson) =>
  (await node.ctx.actors.read(person.did, (actor) => actor.root()))?.cid;

describe('a list of writes', () => {
  it('is one commit, and each write is answered', async () => {
    const before = await written([
      { $type: create.$type, collection, rkey: ONE, value: postRecord('one') },
      { $type: create.$type, collection, rkey: TWO, value: postRecord('two') },
    ]);
    const head = await node.ctx.service.events.head();
    const answer = await written([
      { $type: update.$type, collection, rkey: ONE, value: postRecord('one, again') },
      { $type: remove.$type, collection, rkey: TWO },
      { $type: create.$type, collection, value: postRecord('three') },
    ]);
    expect(before.results.map(({ $type }: { $type: string }) => $type)).toEqual([
      createResult.$type,
      createResult.$type,
    ]);
    expect(answer).toEqual({
      commit: { cid: await newest(haruki), rev: expect.any(String) },
      results: [
        {
          $type: updateResult.$type,
          uri: before.results[0].uri,
          cid: expect.any(String),
          validationStatus: 'valid',
        },
        { $type: deleteResult.$type },
        {
          $type: createResult.$type,
          uri: expect.stringMatching(/\/3[a-z2-7]{12}$/),
          cid: expect.any(String),
          validationStatus: 'valid',
        },
      ],
    });
    expect(await node.ctx.service.events.head()).toBe(head + 1);
    expect(await texts([ONE, TWO])).toEqual(['one, again', undefined]);
  });

  it('may have the older shape', async () => {
    await written([{ action: 'create', collection, rkey: ONE, record: postRecord('one') }]);
    await written([{ action: 'update', collection, rkey: ONE, record: postRecord('new') }]);
    expect(await texts([ONE])).toEqual(['new']);
    const { results } = await written([{ action: 'delete', collection, rkey: ONE }]);
    expect(results).toEqual([{ $type: deleteResult.$type }]);
    expect(await texts([ONE])).toEqual([undefined]);
  });

  it('tells the stream the boundaries from before and after, and each stub to the PDS', async () => {
    await written([
      { action: 'create', collection, rkey: ONE, record: postRecord('one') },
      { action: 'create', collection, rkey: TWO, record: postRecord('two') },
    ]);
    const jobs = await node.ctx.service.outbox.count(haruki.did);
    const { results } = await written([
      { action: 'update', collection, rkey: ONE, record: postRecord('moved', [AEKEA]) },
      { action: 'delete', collection, rkey: TWO },
      { action: 'create', collection, rkey: THREE, record: postRecord('three', [AEKEA]) },
    ]);
    await using stream = await StreamClient.open(node, node.appView, 0);
    await stream.until((client) => client.of('#heartbeat').length > 0);
    const ops = stream.of('#commit').at(-1)?.['ops'] as Record<string, unknown>[];
    expect(
      ops.map(({ prev, cid, ...op }) => ({ ...op, cid: cid?.toString(), prev: !!prev })),
    ).toEqual([
      {
        action: 'update',
        path: `${collection}/${ONE}`,
        boundaries: [AEKEA],
        prevBoundaries: [SWORDSMITH],
        cid: results[0].cid,
        prev: true,
      },
      {
        action: 'delete',
        path: `${collection}/${TWO}`,
        prevBoundaries: [SWORDSMITH],
        cid: undefined,
        prev: true,
      },
      {
        action: 'create',
        path: `${collection}/${THREE}`,
        boundaries: [AEKEA],
        cid: results[2].cid,
        prev: false,
      },
    ]);
    expect(await node.ctx.service.outbox.count(haruki.did)).toBe(jobs + 3);
  });

  it('is carried out whole or not at all', async () => {
    await written([{ action: 'create', collection, rkey: ONE, record: postRecord('one') }]);
    const before = await newest(haruki);
    const good = { action: 'create', collection, rkey: TWO, record: postRecord('two') };
    const bad = [
      { action: 'create', collection, rkey: ONE, record: postRecord('another') },
      { action: 'update', collection, rkey: THREE, record: postRecord('of nothing') },
      {
        action: 'create',
        collection,
        rkey: THREE,
        record: { ...postRecord('no time'), createdAt: 1 },
      },
      { action: 'create', collection, rkey: 'not-a-tid', record: postRecord('no key') },
      { action: 'create', collection, rkey: THREE, record: { ...postRecord(''), boundary: {} } },
    ];
    for (const write of bad) {
      expect((await node.applyWrites(haruki, [good, write])).status).toBe(400);
      expect((await node.applyWrites(haruki, [write, good])).status).toBe(400);
    }
    expect(await newest(haruki)).toBe(before);
    expect(await texts([ONE, TWO])).toEqual(['one', undefined]);
  });

  it('is answered as before, without a commit, when it is repeated', async () => {
    const writes = [
      { action: 'create', collection, rkey: ONE, record: postRecord('one') },
      { action: 'create', collection, rkey: TWO, record: postRecord('two') },
    ];
    const first = await written(writes);
    const head = await node.ctx.service.events.head();
    expect(await written(writes)).toEqual(first);
    expect(await written([{ action: 'delete', collection, rkey: THREE }])).toEqual({
      results: [{ $type: deleteResult.$type }],
    });
    expect(await node.ctx.service.events.head()).toBe(head);
  });

  it('requires the commit that it names', async () => {
    const one = { action: 'create', collection, rkey: ONE, record: postRecord('one') };
    const two = { action: 'create', collection, rkey: TWO, record: postRecord('two') };
    const swapCommit = await newest(haruki);
    await written([one], { swapCommit });
    expect(await refusal(await node.applyWrites(haruki, [two], { swapCommit }))).toEqual([
      409,
      'InvalidSwap',
    ]);
    expect(await texts([ONE, TWO])).toEqual(['one', undefined]);
  });

  it('says what was checked, and checks as it is told', async () => {
    const like = 'zone.stratos.feed.like';
    const value = { ...postRecord('unknown'), $type: like };
    const write = { $type: create.$type, collection: like, rkey: ONE, value };
    const { results } = await written([write]);
    expect(results[0].validationStatus).toBe('unknown');
    const checked = await node.applyWrites(haruki, [write], { validate: true });
    expect(await refusal(checked)).toEqual([400, 'InvalidRecord']);
    const long = { action: 'create', collection, record: postRecord('a'.repeat(301)) };
    expect((await node.applyWrites(haruki, [long])).status).toBe(400);
    expect((await node.applyWrites(haruki, [long], { validate: false })).status).toBe(200);
  });

  it.each([
    ['nothing', []],
    [
      'too much',
      Array.from({ length: MAX_WRITES + 1 }, () => ({ action: 'delete', collection, rkey: ONE })),
    ],
    ['no action', [{ collection, rkey: ONE, value: {} }]],
    ['an unknown action', [{ $type: `${create.$type}Result`, collection, rkey: ONE, value: {} }]],
    ['no record', [{ action: 'create', collection, rkey: ONE }]],
    ['a record that is none', [{ action: 'create', collection, rkey: ONE, record: 'text' }]],
    ['no key to update', [{ action: 'update', collection, record: postRecord('one') }]],
    ['a key that is none', [{ action: 'delete', collection, rkey: '../x' }]],
    ['a collection that is none', [{ action: 'delete', collection: 'zone.stratos.', rkey: ONE }]],
    ['no collection', [{ action: 'delete', rkey: ONE }]],
    [
      'one record twice',
      [
        { action: 'delete', collection, rkey: ONE },
        { action: 'create', collection, rkey: ONE, record: postRecord('one') },
      ],
    ],
  ])('refuses %s', async (_, writes) => {
    expect(await refusal(await node.applyWrites(haruki, writes))).toEqual([400, 'InvalidRequest']);
  });

  it("refuses another person's repo, strangers and other collections", async () => {
    const write = { action: 'delete', collection, rkey: ONE };
    expect(await refusal(await node.applyWrites(rei, [write], { repo: haruki.did }))).toEqual([
      401,
      'AuthRequired',
    ]);
    expect(await refusal(await node.applyWrites(mika, [write]))).toEqual([403, 'NotEnrolled']);
    const foreign = { ...write, collection: 'app.bsky.feed.post' };
    expect(await refusal(await node.applyWrites(rei, [foreign]))).toEqual([
      400,
      'InvalidCollection',
    ]);
  });

  it('counts as many writes as it has', async () => {
    const env = { STRATOS_WRITE_RATE_MAX_WRITES: '3' };
    await using strict = await TestNode.start({ people: [rei], env });
    await strict.enroll(rei, [SWORDSMITH]);
    const write = () => ({ action: 'create', collection, record: postRecord('fast') });
    expect((await strict.applyWrites(rei, [write(), write()])).status).toBe(200);
    expect(await refusal(await strict.applyWrites(rei, [write(), write()]))).toEqual([
      429,
      'RateLimitExceeded',
    ]);
  });

  it('holds a reply to the boundaries of a parent that comes along', async () => {
    const [parent] = (
      await written([{ action: 'create', collection, rkey: ONE, record: postRecord('before') }])
    ).results;
    const subject = { uri: parent.uri, cid: parent.cid };
    const reply = (boundaries: string[]) => ({
      action: 'create',
      collection,
      rkey: TWO,
      record: {
        ...postRecord('a reply', boundaries),
        reply: { root: subject, parent: subject },
      },
    });
    const widened = {
      action: 'update',
      collection,
      rkey: ONE,
      record: postRecord('for both', [SWORDSMITH, AEKEA]),
    };
    const narrowed = { ...widened, record: postRecord('for one', [AEKEA]) };
    const wide = await node.applyWrites(haruki, [reply([SWORDSMITH, AEKEA])]);
    expect(await refusal(wide)).toEqual([400, 'InvalidRecord']);
    const past = await node.applyWrites(haruki, [reply([SWORDSMITH]), narrowed]);
    expect(await refusal(past)).toEqual([400, 'InvalidRecord']);
    await written([reply([SWORDSMITH, AEKEA]), widened]);
  });
});

describe('boundaries of what is replaced', () => {
  beforeEach(async () => {
    await written([
      { action: 'create', collection, rkey: ONE, record: postRecord('of aekea', [AEKEA]) },
      {
        action: 'create',
        collection,
        rkey: TWO,
        record: postRecord('of both', [AEKEA, SWORDSMITH]),
      },
    ]);
    const nsid = zone.stratos.admin.removeBoundary.$nsid;
    expect((await node.operator(nsid, { did: haruki.did, boundary: AEKEA })).status).toBe(200);
  });

  it('must all be the own ones of the author in what replaces it', async () => {
    for (const boundaries of [[AEKEA], [AEKEA, SWORDSMITH]]) {
      const record = postRecord('still', boundaries);
      const write = { action: 'update', collection, rkey: TWO, record };
      expect(await refusal(await node.applyWrites(haruki, [write]))).toEqual([
        403,
        'ForbiddenBoundary',
      ]);
    }
  });

  it('may be lost ones when the record leaves them', async () => {
    await written([
      { action: 'update', collection, rkey: ONE, record: postRecord('moved') },
      { action: 'delete', collection, rkey: TWO },
    ]);
    expect(await texts([ONE, TWO])).toEqual(['moved', undefined]);
    const params = { repo: haruki.did, collection, rkey: ONE };
    expect((await node.query(rei, com.atproto.repo.getRecord.$nsid, params)).status).toBe(200);
  });
});

it('lets writers to one repo wait for each other, and no others', async () => {
  const posts = Array.from({ length: 10 }, (_, i) => node.createPost(haruki, postRecord(`${i}`)));
  const answers = await Promise.all(posts);
  expect(new Set(answers.map(({ commit }) => commit?.rev)).size).toBe(10);
  const { promise, resolve } = Promise.withResolvers<void>();
  const held = node.ctx.locks.run(haruki.did, () => promise);
  const waiting = node.createPost(haruki, postRecord('waits'));
  await node.createPost(rei, postRecord('does not wait'));
  let isDone = false;
  void waiting.then(() => {
    isDone = true;
  });
  await node.createPost(rei, postRecord('does not wait either'));
  expect(isDone).toBe(false);
  resolve();
  await Promise.all([held, waiting]);
});

describe('the body of a list of writes', () => {
  const long = (length: number) => ({ ...postRecord('long'), note: 'x'.repeat(length) });
  const writes = (count: number, length: number) =>
    Array.from({ length: count }, () => ({ $type: create.$type, collection, value: long(length) }));

  it('may be as long as two hundred records of some kilobytes', async () => {
    const { results } = await written(writes(200, 5_000), { validate: false });
    expect(results).toHaveLength(200);
  });

  it('may not be longer than some megabytes', async () => {
    const response = await node.applyWrites(haruki, writes(50, 100_000));
    expect(response.status).toBe(413);
  });

  it('is not looked at before it is known who sends it', async () => {
    const body = { repo: haruki.did, writes: writes(50, 100_000) };
    const { $nsid } = com.atproto.repo.applyWrites;
    expect((await node.post($nsid, body)).status).toBe(401);
    const other = await haruki.authorization(com.atproto.repo.createRecord.$nsid);
    expect((await node.post($nsid, body, other)).status).toBe(401);
  });
});
