import { createHash } from 'node:crypto';
import { jsonToLex } from '@atproto/lex-json';
import { type Did, qualifyBoundary, toCid, toDid } from '@stratos/protocol';
import { com } from '@stratos/protocol/lexicons';
import { textOf } from '@stratos/protocol/tree';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { AnsweringNode } from '../testing/answering-node.ts';
import type { Person } from '../testing/people.ts';
import { authorization, send } from '../testing/send.ts';
import { SURFACES } from '../testing/surfaces.ts';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.ts';
import type { WrittenPost } from '../testing/world.ts';
import { NodeBlobs } from './node-blobs.ts';

const PICTURE = Buffer.from('\x89PNG and so on', 'latin1');
const [RAW, DAG_CBOR] = [0x55, 0x71];
const CID = cidOf(PICTURE);

let gateway: TestGateway;
let answering: AnsweringNode;
let node: Did;
let post: WrittenPost;
let page: WrittenPost;
let people: { author: Person; reader: Person; outsider: Person };

beforeAll(async () => {
  answering = await AnsweringNode.start();
  node = answering.did;
  gateway = await startTestGateway();
  const { world } = gateway;
  await world.node(node);
  const [open, other] = ['open', 'other'].map((name) => qualifyBoundary(node, name));
  if (!open || !other) throw new Error('two boundaries');
  people = {
    author: gateway.people.add('author'),
    reader: gateway.people.add('reader'),
    outsider: gateway.people.add('outsider'),
  };
  await world.member(people.reader.did, node, [open]);
  await world.member(people.outsider.did, node, [other]);
  const image = (mimeType: string) => ({ $type: 'blob', ref: { $link: CID }, mimeType, size: 14 });
  const write = (rkey: string, mimeType: string) =>
    world.post({
      ...{ author: people.author.did, node, boundaries: [open], rkey },
      more: {
        embed: jsonToLex({
          $type: 'app.bsky.embed.images',
          images: [{ alt: '', image: image(mimeType) }],
        }),
      },
    });
  post = await write('picture', 'image/png');
  page = await write('page', 'image/svg+xml');
  await world.post({ author: people.author.did, node, boundaries: [open], rkey: 'none' });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await answering[Symbol.asyncDispose]();
});
beforeEach(() => {
  answering.blob = { status: 200, body: PICTURE };
  answering.asked.length = 0;
});

async function get(person: Person | undefined, path: string) {
  const token = person && (await gateway.session(person));
  return send(`${gateway.url}${path}`, { headers: authorization(token) });
}

function pathOf({ author, rkey }: { author: Did; rkey: string }, cid = CID, of = node): string {
  return `/blob/${[of, author, rkey, cid].map(encodeURIComponent).join('/')}`;
}

test('a file is where the post says, for who may read the post', async () => {
  const token = await gateway.session(people.reader);
  for (const surface of SURFACES) {
    const seen = await surface.post(gateway.url, token, post.uri);
    expect(seen?.images).toMatchObject([{ path: pathOf(post) }]);
  }
  for (const person of [people.reader, people.author]) {
    const { status, headers, body } = await get(person, pathOf(post));
    expect([status, body]).toEqual([200, PICTURE.toString()]);
    expect(headers).toMatchObject({
      'content-type': 'image/png',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
      'cache-control': 'no-store',
      vary: expect.stringContaining('Authorization'),
    });
  }
});

test('the node is asked by the AppView, for that file', async () => {
  await get(people.reader, pathOf(post));
  const query = new URLSearchParams({ did: people.author.did, cid: CID });
  expect(answering.asked.map(({ path }) => path)).toEqual([
    `/xrpc/${com.atproto.sync.getBlob.$nsid}?${query}`,
  ]);
  const [, claims = ''] = answering.asked[0]?.authorization?.split('.') ?? [];
  expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({
    iss: gateway.did,
    aud: node,
    lxm: com.atproto.sync.getBlob.$lxm,
  });
});

test('what is no image of pixels is saved, and not shown', async () => {
  const { headers } = await get(people.reader, pathOf(page));
  expect(headers).toMatchObject({
    'content-type': 'application/octet-stream',
    'content-disposition': 'attachment',
  });
});

test('without a viewer there is nothing', async () => {
  expect(await get(undefined, pathOf(post))).toMatchObject({ status: 401 });
});

describe('a file that the viewer may not have looks like one that does not exist', () => {
  const absent = () => get(people.reader, pathOf({ author: people.author.did, rkey: 'absent' }));

  test('because the post is hidden', async () => {
    const missing = await absent();
    expect(missing.status).toBe(404);
    expect(await get(people.outsider, pathOf(post))).toEqual(missing);
    expect(answering.asked).toEqual([]);
  });

  test('because the post does not name it', async () => {
    const missing = await absent();
    const { author } = post;
    expect(await get(people.reader, pathOf({ author, rkey: 'none' }))).toEqual(missing);
    const other = cidOf(Buffer.from('other'));
    expect(await get(people.reader, pathOf(post, other))).toEqual(missing);
    expect(answering.asked).toEqual([]);
  });

  test('because another node is named, or what is no address', async () => {
    const missing = await absent();
    expect(await get(people.reader, pathOf(post, CID, toDid('did:web:other.test')))).toEqual(
      missing,
    );
    expect(await get(people.reader, '/blob/a/b/c/d')).toEqual(missing);
    expect(answering.asked).toEqual([]);
  });

  test('because the node does not have it', async () => {
    const missing = await absent();
    answering.blob = { status: 404, body: Buffer.from('{}') };
    expect(await get(people.reader, pathOf(post))).toEqual(missing);
  });

  test('because its CID is none of a file', async () => {
    const blobs = new NodeBlobs({ fetch: async () => new Response(PICTURE) });
    const blob = { node, did: people.author.did };
    expect(await blobs.read({ ...blob, cid: CID })).toEqual(PICTURE);
    expect(await blobs.read({ ...blob, cid: cidOf(PICTURE, DAG_CBOR) })).toBeUndefined();
  });

  test('because the node gives other bytes', async () => {
    const missing = await absent();
    answering.blob.body = Buffer.from('<script>');
    expect(await get(people.reader, pathOf(post))).toEqual(missing);
  });
});

describe('a file that cannot be had now', () => {
  test.each([
    ['the node fails', () => ({ status: 500, body: PICTURE })],
    ['it is too large', () => ({ status: 200, body: Buffer.alloc(5_000_001) })],
  ])('because %s', async (_, given) => {
    answering.blob = given();
    const { status, body } = await get(people.reader, pathOf(post));
    expect([status, JSON.parse(body).error]).toEqual([503, 'Unavailable']);
  });
});

function cidOf(bytes: Uint8Array, codec = RAW) {
  const prefix = Uint8Array.of(1, codec, 0x12, 32);
  const digest = createHash('sha256').update(bytes).digest();
  return toCid(textOf(Buffer.concat([prefix, digest])));
}
