import { beforeEach, describe, expect, test } from 'vitest';
import { openNodeSession, type Session } from '../session/session.ts';
import { DpopService, PERSON } from '../testing/dpop-service.ts';
import { type Draft, editPost, writePost } from './posts.ts';
import { deleteRecord, putRecord } from './records.ts';
import { nextTid } from './tid.ts';
import { uploadImage } from './upload-image.ts';

const BOUNDARY = 'did:web:node.example/art';
const POST = {
  uri: `at://${PERSON}/zone.stratos.feed.post/3l2eoxvkq7c2y`,
  cid: 'bafyreia',
} as const;
const QUOTED = { ...POST, text: 'more than a reference' };

let node: DpopService;
let session: Session;
beforeEach(async () => {
  node = new DpopService();
  session = await openNodeSession({ pds: node.pds, node: node.service, fetch: node.fetch });
  node.answers = [{ body: POST }];
});

/** The last body that the node took. */
const sent = () => JSON.parse(node.heard.at(-1)?.body ?? '');
const write = (changes: Partial<Draft> = {}) =>
  writePost(session, { text: 'meow', boundaries: [BOUNDARY], ...changes });

test('a post is as its lexicon has it', async () => {
  const createdAt = new Date('2026-01-01T00:00:00Z');
  expect(await write({ text: 'meow #cat', langs: ['en'], createdAt })).toEqual(POST);
  expect(sent()).toEqual({
    repo: PERSON,
    collection: 'zone.stratos.feed.post',
    rkey: expect.stringMatching(/^[2-7a-z]{13}$/),
    record: {
      $type: 'zone.stratos.feed.post',
      text: 'meow #cat',
      facets: [
        {
          index: { byteStart: 5, byteEnd: 9 },
          features: [{ $type: 'app.bsky.richtext.facet#tag', tag: 'cat' }],
        },
      ],
      boundary: { $type: 'zone.stratos.boundary.defs#Domains', values: [{ value: BOUNDARY }] },
      langs: ['en'],
      createdAt: '2026-01-01T00:00:00.000Z',
    },
  });
});

test('a reply names its parent and the first of the conversation', async () => {
  const root = { ...POST, cid: 'bafyreib' };
  await write({ reply: { parent: QUOTED } });
  expect(sent().record.reply).toEqual({ root: POST, parent: POST });
  await write({ reply: { parent: QUOTED, root } });
  expect(sent().record.reply).toEqual({ root, parent: POST });
});

test('a post shows images or a card, and what it quotes', async () => {
  const blob = { $type: 'blob', ref: { $link: 'bafkreia' }, mimeType: 'image/png', size: 3 };
  node.answers = [{ body: { blob } }, { body: POST }];
  const data = new Uint8Array(3);
  const image = await uploadImage(session, { data, alt: 'a cat' });
  const external = { uri: 'https://a.example/', title: 'A', description: '' };
  await write({ images: [image] });
  const images = { $type: 'app.bsky.embed.images', images: [{ image: blob, alt: 'a cat' }] };
  expect(sent().record.embed).toEqual(images);
  await write({ images: [image], quote: QUOTED });
  const record = { $type: 'app.bsky.embed.record', record: POST };
  expect(sent().record.embed).toEqual({
    $type: 'app.bsky.embed.recordWithMedia',
    record,
    media: images,
  });
  await write({ external });
  expect(sent().record.embed).toEqual({ $type: 'app.bsky.embed.external', external });
  await write({ quote: QUOTED });
  expect(sent().record.embed).toEqual(record);
  await expect(write({ images: [image], external })).rejects.toMatchObject({ code: 'TooMany' });
  await expect(write({ images: Array(5).fill(image) })).rejects.toMatchObject({ code: 'TooMany' });
});

test.each<[string, Partial<Draft>]>([
  ['NoBoundary', { boundaries: [] }],
  ['InvalidBoundary', { boundaries: ['art'] }],
  ['SeveralNodes', { boundaries: [BOUNDARY, 'did:web:other.example/art'] }],
  ['OtherNode', { boundaries: ['did:web:other.example/art'] }],
  ['TooMany', { boundaries: Array.from({ length: 11 }, (_, i) => `${BOUNDARY}${i}`) }],
  ['TooLong', { text: 'x'.repeat(301) }],
  ['TooLong', { text: '👩‍👩‍👧‍👦'.repeat(290) }],
])('%s is not sent', async (code, changes) => {
  const { requests } = node;
  await expect(write(changes)).rejects.toMatchObject({ name: 'InvalidInputError', code });
  expect(node.requests).toBe(requests);
});

test('graphemes count, not what they are made of', async () => {
  expect(await write({ text: '👍🏽'.repeat(300) })).toEqual(POST);
});

describe('a write that is not answered', () => {
  test('is sent once more under the same key', async () => {
    node.answers = [{ status: 502, body: {} }, { body: POST }];
    expect(await write()).toEqual(POST);
    const [first, second] = node.heard.map(({ body }) => body);
    expect(second).toBe(first);
  });

  test('is given up then, and never when it was refused', async () => {
    node.answers = [{ status: 502, body: {} }];
    await expect(write()).rejects.toMatchObject({ name: 'UnreachableError' });
    expect(node.heard).toHaveLength(2);
    node.answers = [{ status: 403, body: { error: 'ForbiddenBoundary' } }];
    await expect(write()).rejects.toMatchObject({ code: 'ForbiddenBoundary' });
    expect(node.heard).toHaveLength(3);
  });
});

test('an edit keeps the rest, and replaces what was read', async () => {
  const value = { $type: 'zone.stratos.feed.post', text: 'meow', facets: [7], tags: ['x'] };
  node.answers = [{ body: { ...POST, value } }, { body: POST }];
  await editPost(session, POST.uri, { text: 'purr' });
  expect(sent()).toMatchObject({ rkey: '3l2eoxvkq7c2y', swapRecord: POST.cid });
  expect(sent().record).toEqual({ $type: value.$type, text: 'purr', tags: ['x'] });
  node.answers = [{ body: { ...POST, value } }, { body: POST }];
  await editPost(session, POST.uri, { boundaries: [`${BOUNDARY}2`] });
  expect(sent().record).toMatchObject({ text: 'meow', facets: [7], tags: ['x'] });
  expect(sent().record.boundary.values).toEqual([{ value: `${BOUNDARY}2` }]);
});

test('what is not of the person is not sent', async () => {
  const { requests } = node;
  const uri = POST.uri.replace('reirei', 'sakura');
  const refusal = { code: 'OtherPerson' };
  await expect(deleteRecord(session, uri)).rejects.toMatchObject(refusal);
  await expect(putRecord(session, { uri, record: {} })).rejects.toMatchObject(refusal);
  await expect(editPost(session, uri, { text: '' })).rejects.toMatchObject(refusal);
  await expect(deleteRecord(session, 'at://x')).rejects.toMatchObject({ code: 'InvalidUri' });
  expect(node.requests).toBe(requests);
});

test.each([0, 2_000_001])('an image of %i bytes is not sent', async (length) => {
  const image = { data: new Uint8Array(length), alt: '' };
  await expect(uploadImage(session, image)).rejects.toMatchObject({ code: 'InvalidImage' });
});

test('record keys are later than those before', () => {
  const keys = Array.from({ length: 1000 }, nextTid);
  expect(new Set(keys).size).toBe(1000);
  expect(keys.toSorted()).toEqual(keys);
});
