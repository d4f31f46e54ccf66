import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { LiveClient } from '../testing/live-client.ts';
import { LiveStage } from '../testing/live-stage.ts';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.ts';

let gateway: TestGateway;
let stage: LiveStage;

beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway[Symbol.asyncDispose]());
beforeEach(async () => {
  stage = await LiveStage.on(gateway);
});

test('tells what happens to posts that the viewer may read, and nothing of others', async () => {
  const alice = await stage.reader('alice', 'art', 'writers');
  await using client = await stage.follow(alice.token);
  expect(client.events[0]).toMatchObject({
    __typename: 'StreamOpened',
    boundaries: stage.boundaries('art', 'writers').map((uri) => ({ uri })),
  });
  const first = await stage.post('first', ['art', 'closed']);
  await client.until(({ story }) => story.length === 1);
  await stage.post('hidden', ['closed']);
  const edited = await stage.happenings.edit(first, {
    text: 'edited',
    boundaries: stage.boundaries('closed', 'writers'),
  });
  await client.until(({ texts }) => texts.at(-1) === 'edited');
  await stage.happenings.edit(edited, { boundaries: stage.boundaries('closed') });
  await stage.happenings.remove(await stage.post('last', ['writers']));
  await client.until(({ story }) => story.at(-1) === 'PostRemoved last');
  const told = client.story.filter((event, index, all) => event !== all[index - 1]);
  expect(told.filter((event) => event !== 'PostShown last')).toEqual([
    'PostShown first',
    'PostRemoved first',
    'PostRemoved last',
  ]);
  expect(client.events[1]?.post?.boundaries).toEqual([{ uri: stage.boundary('art') }]);
  expect(JSON.stringify(client.events)).not.toMatch(/hidden|closed/);
});

test('tells of one boundary alone where no more is asked for', async () => {
  const alice = await stage.reader('alice', 'art', 'writers');
  await using client = await stage.follow(alice.token, { boundary: stage.boundary('art') });
  const post = await stage.post('moving', ['art']);
  await stage.post('elsewhere', ['writers']);
  await client.until(({ story }) => story.length === 1);
  await stage.happenings.edit(post, { boundaries: stage.boundaries('writers') });
  await client.until(({ story }) => story.at(-1) === 'PostRemoved moving');
  expect(client.story).toEqual(['PostShown moving', 'PostRemoved moving']);
});

test('looks the same for a boundary of others and for one that is not there', async () => {
  const alice = await stage.reader('alice', 'art');
  await using closed = await stage.follow(alice.token, { boundary: stage.boundary('closed') });
  await using absent = await stage.follow(alice.token, { boundary: stage.boundary('absent') });
  await using own = await stage.follow(alice.token);
  await stage.post('hidden', ['closed']);
  await stage.post('seen', ['art']);
  await own.until(({ story }) => story.length === 1);
  for (const { events, status } of [closed, absent]) {
    expect([events.length, status]).toEqual([1, 200]);
    expect(events[0]?.boundaries).toEqual([]);
  }
});

test('shows authors all boundaries of what is their own', async () => {
  const { did } = stage.author;
  await gateway.world.member(did, stage.node, stage.boundaries('art'));
  const bob = await stage.reader('bob', 'art');
  await using own = await stage.follow(await gateway.session(stage.author));
  await using other = await stage.follow(bob.token);
  await stage.post('mine', ['art', 'secret']);
  for (const client of [own, other]) await client.until(({ story }) => story.length === 1);
  const uris = (client: LiveClient) => client.events[1]?.post?.boundaries.map(({ uri }) => uri);
  expect(uris(own)).toEqual(stage.boundaries('art', 'secret'));
  expect(uris(other)).toEqual(stage.boundaries('art'));
});

test('silences a boundary that is lost, and says that it is', async () => {
  const alice = await stage.reader('alice', 'art', 'writers');
  const bob = await stage.reader('bob', 'art');
  await using client = await stage.follow(alice.token);
  await using witness = await stage.follow(bob.token);
  await stage.member(alice.did, 'writers');
  await client.until(({ story }) => story.length === 1);
  await stage.post('later', ['art']);
  await stage.post('mixed', ['art', 'writers']);
  await client.until(({ story }) => story.length === 2);
  await witness.until(({ story }) => story.length === 2);
  expect(client.story).toEqual(['BoundaryClosed art', 'PostShown mixed']);
  expect(client.events.at(-1)?.post?.boundaries).toEqual([{ uri: stage.boundary('writers') }]);
  await stage.member(alice.did, 'art', 'writers');
  await client.until(({ story }) => story.at(-1) === 'BoundaryOpened art');
  await stage.member(alice.did);
  await client.until(({ isClosed }) => isClosed);
  expect(client.events.at(-1)).toMatchObject({ __typename: 'StreamClosed', reason: 'ACCESS_LOST' });
  expect(client.isComplete).toBe(true);
});

test('does not show what was written after its reader was removed, though both come at once', async () => {
  const alice = await stage.reader('alice', 'art', 'writers');
  const bob = await stage.reader('bob', 'art');
  const before = await stage.post('before', ['art']);
  await using client = await stage.follow(alice.token);
  await using witness = await stage.follow(bob.token);
  const { prisma } = gateway.world;
  await prisma.$transaction(async (transaction) => {
    const changes = [
      { kind: 'post', did: before.author, uri: before.uri, boundaries: stage.boundaries('art') },
      { kind: 'membership', did: alice.did, boundaries: stage.boundaries('art') },
      { kind: 'post', did: before.author, uri: before.uri, boundaries: stage.boundaries('art') },
    ];
    for (const change of changes) {
      await transaction.change.create({ data: { ...change, nodeDid: stage.node } });
    }
    await transaction.membershipBoundary.deleteMany({
      where: { did: alice.did, boundary: stage.boundary('art') },
    });
    await transaction.$executeRaw`select pg_notify('stratos_change', '0')`;
  });
  await witness.until(({ story }) => story.length === 1);
  await client.until(({ story }) => story.length === 1);
  await sleep(100);
  expect(client.story).toEqual(['BoundaryClosed art']);
});

test('shows nothing of a node whose lease is over, until it is heard again', async () => {
  const alice = await stage.reader('alice', 'art');
  await using client = await stage.follow(alice.token);
  await stage.happenings.lease(stage.node, new Date(Date.now() + 300));
  await client.until(({ story }) => story.includes('BoundaryClosed art'));
  await stage.post('unheard', ['art']);
  await sleep(300);
  await stage.happenings.lease(stage.node, new Date(Date.now() + 60_000));
  await client.until(({ story }) => story.at(-1) === 'BoundaryOpened art');
  await stage.post('heard', ['art']);
  await client.until(({ story }) => story.at(-1) === 'PostShown heard');
  expect(client.texts).toEqual(['heard']);
});

test('gives viewers of different boundaries nothing of each other, whatever they ask for', async () => {
  const alice = await stage.reader('alice', 'art', 'writers');
  const bob = await stage.reader('bob', 'art');
  const query = `subscription { posts { cursor __typename ... on PostShown {
    post { text boundaries { uri } viaAgain: boundaries { node } } } } }`;
  await using forAlice = await stage.follow(alice.token, { query });
  await using forBob = await stage.follow(bob.token, { query });
  await using plainAlice = await stage.follow(alice.token);
  await using plainBob = await stage.follow(bob.token);
  await stage.post('both', ['art', 'writers']);
  const clients = [forAlice, forBob, plainAlice, plainBob];
  for (const client of clients) await client.until(({ events }) => events.length === 2);
  const seen = clients.map(({ events }) => events[1]?.post?.boundaries.map(({ uri }) => uri));
  const [all, one] = [stage.boundaries('art', 'writers'), stage.boundaries('art')];
  expect(seen).toEqual([all, one, all, one]);
  expect(forAlice.cursor).not.toBe(forBob.cursor);
});

test('answers each for themselves what is not the same for all who see a post', async () => {
  const alice = await stage.reader('alice', 'art', 'writers');
  const bob = await stage.reader('bob', 'art');
  const query = `subscription { posts { cursor __typename ... on PostShown {
    post { uri text replyCount boundaries { uri } } } } }`;
  const boundary = stage.boundary('art');
  const post = await stage.post('answered', ['art']);
  await stage.post('answer', ['writers'], { parent: post });
  await using forAlice = await stage.follow(alice.token, { query, boundary });
  await using forBob = await stage.follow(bob.token, { query, boundary });
  await stage.happenings.edit(post, { text: 'edited' });
  for (const client of [forAlice, forBob]) await client.until(({ events }) => events.length === 2);
  expect(forAlice.events[1]?.post).toMatchObject({ text: 'edited', replyCount: 1 });
  expect(forBob.events[1]?.post).toMatchObject({ text: 'edited', replyCount: 0 });
  expect([...forAlice.errors, ...forBob.errors]).toEqual([]);
});

test('lets nobody in without a viewer', async () => {
  await using client = await LiveClient.open(gateway.url, undefined);
  expect(client.status).toBe(401);
  expect(client.errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
});
