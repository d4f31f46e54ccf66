import { type Boundary, encodeRecord, qualifyBoundary, toAtUri, toDid } from '@stratos/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { HydratedPost } from '../hydration/posts.ts';
import { revealPost } from './reveal.ts';

const node = toDid('did:web:node.test');
const other = toDid('did:web:other.test');
const [alice, bob] = [toDid('did:plc:alice'), toDid('did:plc:bob')];
const open = qualifyBoundary(node, 'open');
const closed = qualifyBoundary(node, 'closed');
const foreign = qualifyBoundary(other, 'foreign');

async function postOf(boundary: unknown): Promise<HydratedPost> {
  const value = {
    text: 'hello',
    ...(boundary === undefined ? {} : { boundary }),
  } as HydratedPost['value'];
  const { cid } = await encodeRecord(value);
  const uri = toAtUri(`at://${bob}/zone.stratos.feed.post/r`);
  return { uri, node, cid, value, indexedAt: new Date(0) };
}

const postIn = (...boundaries: string[]) =>
  postOf({ values: boundaries.map((value) => ({ value })) });

function scope(viewer: typeof alice, ...boundaries: Boundary[]) {
  return { viewer, boundaries: new Set(boundaries) };
}

const author = { handle: 'bob.test', active: true };

test('shows nothing of an account that is not in use, but to itself', async () => {
  const post = await postIn(open);
  const gone = { ...author, active: false };
  expect(revealPost(scope(alice, open), post, gone)).toBeUndefined();
  expect(revealPost(scope(bob), post, gone)?.boundaries).toEqual([open]);
});

test('shows the boundaries that are shared', async () => {
  const post = await postIn(open, closed);
  expect(revealPost(scope(alice, open, foreign), post, author)?.boundaries).toEqual([open]);
  expect(revealPost(scope(alice), post, author)).toBeUndefined();
  expect(revealPost(scope(bob), post, author)?.boundaries).toEqual([closed, open]);
});

test('does not take the word of a node for a boundary of another', async () => {
  const post = await postIn(open, foreign);
  expect(revealPost(scope(alice, foreign), post, author)).toBeUndefined();
  expect(revealPost(scope(alice, open, foreign), post, author)?.boundaries).toEqual([open]);
});

test('shows a post in a boundary only if it is signed for that one', async () => {
  const post = await postIn(open);
  expect(revealPost(scope(alice, open, closed), post, author, closed)).toBeUndefined();
  expect(revealPost(scope(alice, open, closed), post, author, open)).toBeDefined();
  expect(revealPost(scope(bob), post, author, closed)).toBeUndefined();
});

test.each([
  ['none', undefined],
  ['an empty list', { values: [] }],
  ['no list', 'open'],
  ['something else in the list', { values: [{ value: 7 }] }],
  ['too many', { values: Array.from({ length: 11 }, () => ({ value: open })) }],
])('a record with %s for boundaries is for its author alone', async (_, boundary) => {
  const post = await postOf(boundary);
  expect(revealPost(scope(alice, open, closed), post, author)).toBeUndefined();
  expect(revealPost(scope(bob, open), post, author)?.boundaries).toEqual([]);
});

test('qualifies the bare names of old records with their node', async () => {
  const post = await postIn('open');
  expect(revealPost(scope(alice, open), post, author)?.boundaries).toEqual([open]);
});

test('a post that was shown before is shown to each viewer as if it never had been', async () => {
  const { value, ...one } = await postIn(open, closed, foreign);
  const elsewhere = { node: other, uri: toAtUri(`at://${alice}/zone.stratos.feed.post/r`) };
  const glance = fc.record({
    viewer: fc.constantFrom(alice, bob),
    boundaries: fc.subarray([open, closed, foreign]),
    at: fc.constantFrom({}, elsewhere),
    within: fc.option(fc.constantFrom(open, closed, foreign), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(glance, { minLength: 2, maxLength: 6 }), (glances) => {
      for (const { viewer, boundaries, at, within } of glances) {
        const seen = (record: HydratedPost['value']) =>
          revealPost(
            scope(viewer, ...boundaries),
            { ...one, ...at, value: record },
            author,
            within,
          );
        expect(seen(value)).toEqual(seen(structuredClone(value)));
      }
    }),
  );
});
