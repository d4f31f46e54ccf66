import { buildGraphqlSchema } from '@stratos/schema';
import { getOperationAST, parse, validate } from 'graphql';
import { expect, test } from 'vitest';
import { queryCost } from './query-cost.ts';

const schema = buildGraphqlSchema();

function costOf(source: string, variables?: Record<string, unknown>): number {
  const document = parse(source);
  expect(validate(schema, document)).toEqual([]);
  const operation = getOperationAST(document);
  if (!operation) throw new Error('no operation');
  return queryCost({ schema, document, operation, variables });
}

const uri = 'at://did:plc:reiaaaaaaaaaaaaaaaaaaaaa/zone.stratos.feed.post/3jzfcijpj2z2a';

test.each<[string, number, string, Record<string, unknown>?]>([
  ['a field', 1, '{ __typename }'],
  [
    'each field',
    4,
    '{ viewer { did handle boundaries { uri } } }'.replace('boundaries { uri }', '__typename'),
  ],
  ['a page, by its size', 1 + 10 * 3, '{ timeline(first: 10) { edges { node { text } } } }'],
  ['a page from the end', 1 + 10 * 2, '{ timeline(last: 10) { edges { cursor } } }'],
  ['a page of the usual size', 1 + 50 * 2, '{ timeline { edges { cursor } } }'],
  [
    'pages within pages, which multiply',
    1 + 10 * (1 + 1 + 1 + 20 * 2),
    '{ timeline(first: 10) { edges { node { replies(first: 20) { edges { cursor } } } } } }',
  ],
  [
    'a size in a variable',
    1 + 7 * 2,
    'query ($n: Int) { timeline(first: $n) { edges { cursor } } }',
    { n: 7 },
  ],
  [
    'a size that is the default of a variable',
    1 + 9 * 2,
    'query ($n: Int = 9) { timeline(first: $n) { edges { cursor } } }',
  ],
  ['no less for a negative size', 1 + 2, '{ timeline(first: -100) { edges { cursor } } }'],
  [
    'no more than the largest page',
    1 + 100 * 2,
    '{ timeline(first: 1000000) { edges { cursor } } }',
  ],
  [
    'posts by how many are named',
    1 + 2 * 1,
    'query ($uris: [AtUri!]!) { posts(uris: $uris) { text } }',
    { uris: [uri, uri] },
  ],
  ['what a page lacks as its posts', 1 + 10 * 2, '{ timeline(first: 10) { unavailable { uri } } }'],
  [
    'what is unavailable by how many are named',
    1 + 2 * 1,
    'query ($uris: [AtUri!]!) { unavailablePosts(uris: $uris) { uri } }',
    { uris: [uri, uri] },
  ],
  ['ancestors, ten of them', 1 + (1 + 10 * 1), `{ thread(uri: "${uri}") { ancestors { text } } }`],
  ['what a directive leaves out', 2, '{ viewer { did @skip(if: true) } }'],
  [
    'every use of a fragment',
    1 + 2 * 2,
    '{ viewer { ...A ...A } } fragment A on Viewer { did handle }',
  ],
  ['an inline fragment', 2, '{ viewer { ... on Viewer { did } } }'],
  ['introspection, little', 1, '{ __schema { types { name fields { name } } } }'],
])('counts %s', (_, cost, source, variables) => {
  expect(costOf(source, variables)).toBe(cost);
});

test('is not kept busy by fragments that double again and again', () => {
  const levels = Array.from({ length: 200 }, (_, i) =>
    i === 199
      ? `fragment F${i} on Viewer { did }`
      : `fragment F${i} on Viewer { ...F${i + 1} ...F${i + 1} }`,
  );
  const document = parse(`{ viewer { ...F0 } } ${levels.join(' ')}`);
  const operation = getOperationAST(document);
  if (!operation) throw new Error('no operation');
  expect(queryCost({ schema, document, operation })).toBeGreaterThan(2 ** 198);
});
