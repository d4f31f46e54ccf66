import { jsonToLex } from '@atproto/lex-json';
import { toBoundary, toDid } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { getIntrospectionQuery } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Question } from './testing/questions.ts';
import { graphql, SURFACES, send, trpc, xrpc } from './testing/surfaces.ts';
import { startTestGateway, type TestGateway } from './testing/test-gateway.ts';
import type { WrittenPost } from './testing/world.ts';

const node = toDid('did:web:node.test');
const open = toBoundary(`${node}/open`);
const closed = toBoundary(`${node}/closed`);

let gateway: TestGateway;
let token: string;
let posts: WrittenPost[];
let hidden: WrittenPost;

beforeAll(async () => {
  gateway = await startTestGateway();
  const { world, people } = gateway;
  const [alice, bob] = [people.add('alice'), people.add('bob')];
  await world.node(node);
  await world.actor(bob.did, { handle: 'bob.test' });
  await world.member(alice.did, node, [open]);
  const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second));
  posts = [];
  for (let i = 0; i < 7; i++) {
    const boundaries = i % 2 ? [open] : [closed, open];
    const facts = { author: bob.did, node, boundaries, rkey: `post${i}`, at: at(i) };
    posts.unshift(await world.post(facts));
  }
  hidden = await world.post({ author: bob.did, node, boundaries: [closed], rkey: 'hidden' });
  token = await gateway.session(alice);
});
afterAll(() => gateway[Symbol.asyncDispose]());

describe.each(SURFACES)('$name', (surface) => {
  test('serves the timeline, page by page', async () => {
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await surface.feed(gateway.url, token, { limit: 3, cursor });
      seen.push(...page.posts.map(({ uri }) => uri));
      cursor = page.cursor;
    } while (cursor);
    expect(seen).toEqual(posts.map(({ uri }) => uri));
  });

  test('serves a post with the boundaries that are shared, and no other', async () => {
    const post = await surface.post(gateway.url, token, posts[0]?.uri ?? '');
    expect(post).toMatchObject({ author: { handle: 'bob.test' }, boundaries: [open] });
  });

  test('answers the same for a hidden post and for none, byte for byte', async () => {
    const absent = hidden.uri.replace('hidden', 'absent');
    const answers = [hidden.uri, absent].map((uri) => surface.rawPost(gateway.url, token, uri));
    const [forHidden, forAbsent] = await Promise.all(answers);
    expect(forHidden).toEqual(forAbsent);
    expect(forHidden?.status).toBe(surface.name === 'XRPC' ? 404 : 200);
  });

  test('lets nobody in without a viewer', async () => {
    const answer = await surface.rawPost(gateway.url, undefined, hidden.uri);
    expect(answer.status).toBe(401);
    expect(answer.body).toMatch(/UNAUTHENTICATED|AuthRequired/);
    expect(answer.headers['www-authenticate']).toContain('DPoP');
  });

  test('marks answers as private', async () => {
    const { headers } = await surface.rawPost(gateway.url, token, hidden.uri);
    expect(headers).toMatchObject({ 'cache-control': 'no-store' });
    expect(headers['vary']).toMatch(/authorization/i);
  });
});

test('all surfaces answer every operation alike', async () => {
  const actor = hidden.author;
  for (const args of [
    {},
    { boundary: open },
    { boundary: closed },
    { actor },
    { actor: 'bob.test' },
  ]) {
    const [first, ...others] = await Promise.all(
      SURFACES.map((surface) => surface.feed(gateway.url, token, args)),
    );
    for (const other of others) expect(other).toEqual(first);
  }
});

test('all surfaces show what a post shows alike', async () => {
  const cid = 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku';
  const image = { $type: 'blob', ref: { $link: cid }, mimeType: 'image/png', size: 5 };
  const [shown] = posts;
  const facts = { author: hidden.author, node, boundaries: [open], at: new Date(0) };
  const more = jsonToLex({
    facets: [
      { $type: 'app.bsky.richtext.facet', ...facet(0, 4, 'tag', { tag: 'fox' }) },
      facet(5, 9, 'link', { uri: 'https://fox.test/' }),
    ],
    embed: {
      $type: 'app.bsky.embed.recordWithMedia',
      record: { record: { uri: shown?.uri ?? '', cid: shown?.cid ?? '' } },
      media: {
        $type: 'app.bsky.embed.images',
        images: [
          { alt: 'a fox', image, aspectRatio: { width: 3, height: 2 } },
          { alt: '', image },
        ],
      },
    },
  });
  const card = jsonToLex({
    embed: {
      $type: 'app.bsky.embed.external',
      external: { uri: 'https://fox.test/', title: 'Fox', description: '', thumb: image },
    },
  });
  const text = '#fox fox!';
  for (const [rkey, fields] of Object.entries({ more, card })) {
    const { uri } = await gateway.world.post({ ...facts, rkey, text, more: Object(fields) });
    const [first, ...others] = await Promise.all(
      SURFACES.map((surface) => surface.post(gateway.url, token, uri)),
    );
    for (const other of others) expect(other).toEqual(first);
    expect(first).toMatchObject(
      rkey === 'card'
        ? { external: { title: 'Fox', thumb: { cid, size: 5 } }, images: [] }
        : {
            facets: [{ tag: 'fox' }, { link: 'https://fox.test/' }],
            images: [{ alt: 'a fox' }, { alt: '', aspectRatio: null }],
            quote: { uri: shown?.uri },
          },
    );
  }
});

function facet(byteStart: number, byteEnd: number, feature: string, fields: object) {
  const features = [{ $type: `app.bsky.richtext.facet#${feature}`, ...fields }];
  return { index: { byteStart, byteEnd }, features };
}

test('what is too much is refused everywhere', async () => {
  const uri = hidden.uri;
  const questions: Question[] = [
    { operation: 'timeline', limit: 101 },
    { operation: 'replies', uri, limit: 0 },
    { operation: 'posts', uris: Array.from({ length: 26 }, (_, i) => `${uri}${i}`) },
    { operation: 'search', text: 'x'.repeat(257) },
    { operation: 'actor', actor: 'nobody' },
  ];
  for (const surface of SURFACES) {
    for (const question of questions) {
      const { body } = await surface.ask(gateway.url, token, question);
      expect(body, JSON.stringify(question)).toMatch(/BAD_USER_INPUT|InvalidRequest/);
    }
  }
});

test('errors have the same codes everywhere', async () => {
  const cursor = 'garbage';
  const { $nsid } = zone.stratos.feed.getTimeline;
  const answers = await Promise.all([
    graphql(gateway.url, token, '{ timeline(after: "garbage") { edges { cursor } } }'),
    trpc(gateway.url, token, 'timeline', { cursor }),
    xrpc(gateway.url, token, $nsid, { cursor }),
  ]);
  expect(answers.map(({ status }) => status)).toEqual([200, 400, 400]);
  expect(JSON.parse(answers[0].body).errors[0].extensions.code).toBe('INVALID_CURSOR');
  expect(JSON.parse(answers[1].body).error.data.reason).toBe('INVALID_CURSOR');
  expect(JSON.parse(answers[2].body).error).toBe('InvalidCursor');
});

test('the schema can be read by anybody, and nothing else', async () => {
  const schema = await graphql(gateway.url, undefined, '{ __schema { queryType { name } } }');
  expect(JSON.parse(schema.body).data.__schema.queryType.name).toBe('Query');
  const whole = await graphql(gateway.url, undefined, getIntrospectionQuery());
  expect(JSON.parse(whole.body).errors).toBeUndefined();
  const both = await graphql(gateway.url, undefined, '{ __typename viewer { did } }');
  expect(both.status).toBe(401);
});

test('GraphQL finds a post again by its global id', async () => {
  const query = '{ timeline(first: 1) { edges { node { id uri } } } }';
  const first = JSON.parse((await graphql(gateway.url, token, query)).body);
  const { id, uri } = first.data.timeline.edges[0].node;
  const ask = 'query ($id: ID!) { node(id: $id) { ... on Post { uri } } }';
  const again = await graphql(gateway.url, token, ask, { id });
  expect(JSON.parse(again.body)).toEqual({ data: { node: { uri } } });
  const hiddenId = Buffer.from(`Post:${node} ${hidden.uri}`).toString('base64url');
  for (const other of [hiddenId, 'Zm9v', '%%%']) {
    const none = await graphql(gateway.url, token, ask, { id: other });
    expect(JSON.parse(none.body)).toEqual({ data: { node: null } });
  }
});

test('GraphQL takes small JSON posts of sane queries and nothing else', async () => {
  const url = `${gateway.url}/graphql`;
  const authorization = `Bearer ${token}`;
  const headers = { authorization, 'content-type': 'application/json' };
  const deep = `{ timeline { edges { node { ${'author { '.repeat(12)} did ${'} '.repeat(12)} } } } }`;
  const wide = `{ ${Array.from({ length: 40 }, (_, i) => `a${i}: viewer { did }`).join(' ')} }`;
  const many = `{ ${Array.from({ length: 8 }, (_, i) => `a${i}: timeline(first: 100) { edges { cursor } }`).join(' ')} }`;
  const code = async (query: string) => {
    const { body } = await graphql(gateway.url, token, query);
    return JSON.parse(body).errors?.[0]?.extensions?.code;
  };
  expect(await code(wide)).toBe('QUERY_TOO_COMPLEX');
  expect(await code(many)).toBe('QUERY_TOO_COMPLEX');
  expect(['QUERY_TOO_COMPLEX', 'BAD_USER_INPUT', 'GRAPHQL_VALIDATION_FAILED']).toContain(
    await code(deep),
  );
  expect((await send(`${url}?query={__typename}`, { headers })).status).toBe(405);
  const body = JSON.stringify({ query: '{ viewer { did } }' });
  const sendable = [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
  ];
  for (const type of [...sendable, 'application/graphql']) {
    const other = { authorization, 'content-type': type };
    const form = type.includes('multipart')
      ? `--x\r\nContent-Disposition: form-data; name="query"\r\n\r\n{ viewer { did } }\r\n--x--`
      : 'query={viewer{did}}';
    expect((await send(url, { method: 'POST', headers: other, body: form })).status).toBe(415);
  }
  const batch = await send(url, { method: 'POST', headers, body: `[${body},${body}]` });
  expect(batch.status).toBe(400);
  const large = JSON.stringify({ query: `# ${'x'.repeat(110_000)}` });
  expect((await send(url, { method: 'POST', headers, body: large })).status).toBe(413);
});
