import { expect, test } from 'vitest';
import { enrollmentWarnings } from './enrollment-warnings.ts';

const a = 'did:web:node.example.com/a';
const b = 'did:web:node.example.com/b';
const signingKey = 'did:key:zOne';

test.each([
  ['neither knows of it', undefined, undefined, []],
  ['both say the same', [a, b], [b, a], []],
  ['the node does not know of it', [a], undefined, ['only-on-pds']],
  ['the PDS does not know of it', undefined, [a], ['only-at-node']],
  ['the node has one more', [a], [a, b], ['other-boundaries']],
  ['the PDS has one more', [a, b], [a], ['other-boundaries']],
] as const)('%s', (_what, record, node, warnings) => {
  const enrolled = (boundaries: readonly string[] | undefined) =>
    boundaries && { boundaries, signingKey };
  expect(enrollmentWarnings(enrolled(record), enrolled(node))).toEqual(warnings);
});

test('another key is told beside other boundaries', () => {
  const record = { boundaries: [a], signingKey };
  const node = { boundaries: [b], signingKey: 'did:key:zOther' };
  expect(enrollmentWarnings(record, node)).toEqual(['other-boundaries', 'other-key']);
});
