import { expect, test } from 'vitest';
import type { Did } from '../identifiers.ts';
import { findFacets } from './facets.ts';

const REI = 'did:plc:reireireireireireireirei';
const handles = async (handle: string): Promise<Did | undefined> =>
  handle === 'rei.test' ? REI : undefined;

/** Each part of a text that is something, as its bytes say, and what it is. */
async function parts(text: string) {
  const bytes = new TextEncoder().encode(text);
  return (await findFacets(text, { handles })).map(({ index, features }) => {
    const part = new TextDecoder().decode(bytes.slice(index.byteStart, index.byteEnd));
    const [feature] = features;
    if (feature?.$type === 'app.bsky.richtext.facet#mention') return [part, feature.did];
    if (feature?.$type === 'app.bsky.richtext.facet#link') return [part, feature.uri];
    return [part, feature?.tag];
  });
}

test('places are in bytes of UTF-8, in the order of the text', async () => {
  const text = '👩‍🚒 #鋼! (@rei.test) über https://a.example/ü?q=(1), @rei.test.';
  expect(await parts(text)).toEqual([
    ['#鋼', '鋼'],
    ['@rei.test', REI],
    ['https://a.example/ü?q=(1)', 'https://a.example/ü?q=(1)'],
    ['@rei.test', REI],
  ]);
});

test.each<[string, string[][]]>([
  ['mail@rei.test', []],
  ['@nobody.test @rei', []],
  [
    'https://a.example/@rei.test#x',
    [['https://a.example/@rei.test#x', 'https://a.example/@rei.test#x']],
  ],
  ['(https://a.example/x).', [['https://a.example/x', 'https://a.example/x']]],
  ['https://', []],
  ['javascript://x ftp://a.example', []],
  ['#1 #! ##x a#b # x', []],
  [
    '＃x2, #a-b.',
    [
      ['＃x2', 'x2'],
      ['#a-b', 'a-b'],
    ],
  ],
  [`#${'x'.repeat(65)}`, []],
])('%s', async (text, expected) => {
  expect(await parts(text)).toEqual(expected);
});

test('each handle is asked for once, and nobody without a resolver', async () => {
  const asked: string[] = [];
  const counting = async (handle: string) => {
    asked.push(handle);
    return handles(handle);
  };
  expect(await findFacets('@rei.test @rei.test', { handles: counting })).toHaveLength(2);
  expect(asked).toEqual(['rei.test']);
  expect(await findFacets('@rei.test')).toEqual([]);
});
