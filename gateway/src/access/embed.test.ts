import { jsonToLex } from '@atproto/lex-json';
import { toCid, toDid } from '@stratos/protocol';
import type { JsonObject } from '@stratos/schema';
import { describe, expect, test } from 'vitest';
import { presentEmbed, quotedUri } from './embed.ts';

const did = toDid('did:plc:bob');
const node = toDid('did:web:localhost%3A3100');
const cid = toCid('bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku');
const recordCid = 'bafyreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku';
const quoted = { uri: 'at://did:plc:bob/zone.stratos.feed.post/3kabcdefghij2', cid: recordCid };

const blob = { $type: 'blob', ref: { $link: cid }, mimeType: 'image/png', size: 5 };
const file = {
  cid,
  mimeType: 'image/png',
  size: 5,
  path: `/blob/did%3Aweb%3Alocalhost%253A3100/did%3Aplc%3Abob/3kabc/${cid}`,
};
const images = {
  $type: 'app.bsky.embed.images',
  images: [
    { alt: 'a pixel', image: blob, aspectRatio: { width: 3, height: 2 } },
    { alt: '', image: blob },
  ],
};
const card = { uri: 'https://fox.test/', title: 'Foxes', description: 'All of them', thumb: blob };
const external = { $type: 'app.bsky.embed.external', external: card };
const quote = { $type: 'app.bsky.embed.record', record: quoted };
const withMedia = (media: object) => ({
  $type: 'app.bsky.embed.recordWithMedia',
  record: { record: quoted },
  media,
});

const present = (embed: object) =>
  presentEmbed(jsonToLex(embed as JsonObject), { did, node, rkey: '3kabc' });
const quoteOf = (embed: object) => quotedUri({ record: { embed: embed as JsonObject } });

test('images have a place below the gateway', () => {
  const seen = [
    { ...file, alt: 'a pixel', aspectRatio: { width: 3, height: 2 } },
    { ...file, alt: '', aspectRatio: null },
  ];
  expect(present(images)).toEqual({ images: seen, external: null });
  expect(present(withMedia(images))).toEqual({ images: seen, external: null });
});

test('a page elsewhere is a card', () => {
  const seen = { images: [], external: { ...card, thumb: file } };
  expect(present(external)).toEqual(seen);
  expect(present(withMedia(external))).toEqual(seen);
  const { thumb: _, ...bare } = card;
  expect(present({ ...external, external: bare }).external?.thumb).toBeNull();
});

describe('nothing is made of', () => {
  test.each([
    ['a page that is none', { ...external, external: { ...card, uri: 'javascript:alert(1)' } }],
    ['too many images', { ...images, images: Array(5).fill(images.images[0]) }],
    ['an image that is none', { ...images, images: [{ alt: '', image: 'pixel.png' }] }],
    ['a quote', quote],
    ['what nobody knows', { $type: 'app.test.embed', images: images.images }],
    [
      'an old reference without a size',
      { ...images, images: [{ alt: '', image: { cid, mimeType: 'image/png' } }] },
    ],
  ])('%s', (_, embed) => {
    expect(present(embed)).toEqual({ images: [], external: null });
  });
});

test('the address of a quote is found beside media, too', () => {
  expect(quoteOf(quote)).toBe(quoted.uri);
  expect(quoteOf(withMedia(images))).toBe(quoted.uri);
  expect(quoteOf(images)).toBeUndefined();
  expect(
    quoteOf({ ...quote, record: { ...quoted, uri: 'at://bob.test/a.b.c/d' } }),
  ).toBeUndefined();
});
