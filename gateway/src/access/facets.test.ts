import { describe, expect, test } from 'vitest';
import { presentFacets } from './facets.ts';

const TEXT = 'Hé @bob 🦊 see #fox';
const link = { $type: 'app.bsky.richtext.facet#link', uri: 'https://fox.test/' };
const tag = { $type: 'app.bsky.richtext.facet#tag', tag: 'fox' };
const mention = { $type: 'app.bsky.richtext.facet#mention', did: 'did:plc:bob' };

function facet(byteStart: unknown, byteEnd: unknown, ...features: unknown[]) {
  return { index: { byteStart, byteEnd }, features };
}

const ranges = (...facets: unknown[]) =>
  presentFacets(facets, TEXT).map(({ byteStart, byteEnd }) => [byteStart, byteEnd]);

test('a facet says where it is in UTF-8, and what it stands for', () => {
  const none = { mention: null, link: null, tag: null };
  expect(presentFacets([facet(4, 8, mention), facet(9, 13, tag, link)], TEXT)).toEqual([
    { ...none, byteStart: 4, byteEnd: 8, mention: 'did:plc:bob' },
    { ...none, byteStart: 9, byteEnd: 13, tag: 'fox', link: 'https://fox.test/' },
  ]);
});

describe('left out are', () => {
  test.each([
    ['what ends before it begins', facet(5, 4, tag)],
    ['what is empty', facet(4, 4, tag)],
    ['what is outside the text', facet(0, 999, tag)],
    ['what begins before the text', facet(-1, 2, tag)],
    ['what is no number', facet('0', 2, tag)],
    ['what begins within a character', facet(2, 4, tag)],
    ['what ends within a character', facet(9, 11, tag)],
    ['features that nobody knows', facet(0, 1, { $type: 'app.test#other', tag: 'fox' })],
    ['features without a type', facet(0, 1, { tag: 'fox' })],
    ['what stands for nothing', facet(0, 1)],
    ['links to what is no page', facet(0, 1, { ...link, uri: 'javascript:alert(1)' })],
    ['mentions of nobody', facet(0, 1, { ...mention, did: 'bob' })],
    ['what is no facet', 'facet'],
    ['nothing', null],
  ])('%s', (_, one) => {
    expect(ranges(one, facet(4, 8, tag))).toEqual([[4, 8]]);
  });

  test('facets that begin within another', () => {
    expect(ranges(facet(5, 9, tag), facet(4, 8, tag), facet(8, 9, tag))).toEqual([
      [4, 8],
      [8, 9],
    ]);
  });
});

test('a known feature beside an unknown one counts', () => {
  expect(presentFacets([facet(0, 1, { $type: 'x.y.z' }, tag)], TEXT)).toMatchObject([
    { tag: 'fox' },
  ]);
});

test('what is no list has no facets', () => {
  expect(presentFacets({ length: 1 }, TEXT)).toEqual([]);
});
