import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
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

test('goes on from any event, with all that came after it, each once', async () => {
  const { token } = await stage.reader('alice', 'art');
  await using whole = await stage.follow(token);
  for (let index = 0; index < 6; index++) {
    await stage.post(`post${index}`, [index % 2 ? 'music' : 'closed', 'art']);
    await whole.until(({ story }) => story.length === index + 1);
  }
  for (let seen = 0; seen <= 6; seen++) {
    await using resumed = await stage.follow(token, { after: whole.events[seen]?.cursor });
    await resumed.until(({ story }) => story.length >= 6 - seen);
    expect(resumed.story).toEqual(whole.story.slice(seen));
    expect(resumed.events.slice(1)).toEqual(whole.events.slice(seen + 1));
  }
});

test('goes on live after what was missed', async () => {
  const { token } = await stage.reader('alice', 'art');
  const first = await stage.follow(token);
  await first[Symbol.asyncDispose]();
  const writing = (async () => {
    for (let index = 0; index < 40; index++) await stage.post(`post${index}`, ['art']);
  })();
  await using resumed = await stage.follow(token, { after: first.cursor });
  await writing;
  await resumed.until(({ story }) => story.length >= 40);
  expect(resumed.texts).toEqual(Array.from({ length: 40 }, (_, index) => `post${index}`));
});

test('tells who comes back by what is open to them now', async () => {
  const alice = await stage.reader('alice', 'art', 'writers');
  const first = await stage.follow(alice.token);
  await first[Symbol.asyncDispose]();
  await stage.post('before', ['art']);
  await stage.post('other', ['writers']);
  await stage.member(alice.did, 'writers', 'music');
  await stage.post('after', ['art']);
  await stage.post('new', ['music']);
  await using resumed = await stage.follow(alice.token, { after: first.cursor });
  await resumed.until(({ story }) => story.at(-1) === 'PostShown new');
  expect(resumed.events[0]?.boundaries).toEqual(
    stage.boundaries('music', 'writers').map((uri) => ({ uri })),
  );
  expect(resumed.story).toEqual([
    'PostShown other',
    'BoundaryClosed art',
    'BoundaryOpened music',
    'PostShown new',
  ]);
});

test('says when what was missed is not known any more', async () => {
  const { token } = await stage.reader('alice', 'art');
  const first = await stage.follow(token);
  await first[Symbol.asyncDispose]();
  const other = await stage.follow(token);
  await stage.post('missed', ['art']);
  await stage.post('kept', ['art']);
  // What is not an hour old is there until the gateway has read it.
  await other.until(({ story }) => story.at(-1) === 'PostShown kept');
  await other[Symbol.asyncDispose]();
  await gateway.world.prisma.$executeRaw`
    delete from stratos_change where seq < (select max(seq) from stratos_change)`;
  await using resumed = await stage.follow(token, { after: first.cursor });
  await resumed.until(({ story }) => story.length > 0);
  await stage.post('next', ['art']);
  await resumed.until(({ story }) => story.at(-1) === 'PostShown next');
  expect(resumed.story).toEqual(['StreamReset', 'PostShown next']);
});

test('takes a cursor by Last-Event-ID, too', async () => {
  const { token } = await stage.reader('alice', 'art');
  const first = await stage.follow(token);
  await first[Symbol.asyncDispose]();
  await stage.post('missed', ['art']);
  const headers = { 'last-event-id': first.cursor ?? '' };
  await using resumed = await stage.follow(token, { headers });
  await resumed.until(({ story }) => story.length === 1);
  expect(resumed.story).toEqual(['PostShown missed']);
});

test('takes cursors of the same viewer and the same subscription alone', async () => {
  const alice = await stage.reader('alice', 'art');
  const bob = await stage.reader('bob', 'art');
  await using client = await stage.follow(alice.token);
  const { cursor: after } = client;
  const boundary = stage.boundary('art');
  const wrong = [
    stage.follow(bob.token, { after }),
    stage.follow(alice.token, { after, boundary }),
    stage.follow(alice.token, { after: `${after}A` }),
    stage.follow(alice.token, { after: '' }),
  ];
  for (const opening of wrong) {
    await using refused = await opening;
    expect(refused.events).toEqual([]);
    expect(refused.errors).toMatchObject([{ extensions: { code: 'INVALID_CURSOR' } }]);
  }
});
