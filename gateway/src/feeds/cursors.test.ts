import { randomBytes } from 'node:crypto';
import { toAtUri, toDid } from '@stratos/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type CursorScope, Cursors } from './cursors.ts';

const cursors = new Cursors(randomBytes(32));
const position = {
  sortAt: new Date('2026-01-01T00:00:00.123Z'),
  uri: toAtUri('at://did:plc:alice/zone.stratos.feed.post/3kabcdefghij2'),
  node: toDid('did:web:node.test'),
};
const [alice, bob] = [toDid('did:plc:alice'), toDid('did:plc:bob')];
const scopes: CursorScope[] = [alice, bob].flatMap((viewer) =>
  ['timeline', 'authorFeed'].flatMap((operation) =>
    [undefined, 'a', 'b'].flatMap((boundary) =>
      [undefined, 'x'].map((actor) => ({ viewer, operation, arguments: { boundary, actor } })),
    ),
  ),
);

test('a cursor is good for its viewer and feed, and for no other', () => {
  for (const made of scopes) {
    const cursor = cursors.seal(position, made);
    for (const used of scopes) {
      if (used === made) expect(cursors.open(cursor, used)).toEqual(position);
      else expect(() => cursors.open(cursor, used)).toThrow('not one of this viewer');
    }
  }
});

test('a cursor says nothing, not even by its length, and is never the same twice', () => {
  const [scope] = scopes as [CursorScope];
  const other = { ...position, node: toDid('did:web:another-node.example.com') };
  const [first, second, third] = [position, position, other].map((at) => cursors.seal(at, scope));
  expect(first).not.toBe(second);
  expect(first?.length).toBe(third?.length);
  expect(Buffer.from(first ?? '', 'base64url').toString('latin1')).not.toContain('alice');
});

test('whatever is changed in a cursor spoils it', () => {
  const [scope] = scopes as [CursorScope];
  const cursor = cursors.seal(position, scope);
  fc.assert(
    fc.property(fc.nat(cursor.length - 1), fc.constantFrom(...'AZaz09-_'), (at, character) => {
      fc.pre(cursor[at] !== character);
      const changed = cursor.slice(0, at) + character + cursor.slice(at + 1);
      expect(() => cursors.open(changed, scope)).toThrow();
    }),
  );
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(() => cursors.open(text, scope)).toThrow();
    }),
  );
});

test('gateways that share the key take each other’s cursors, others do not', () => {
  const [scope] = scopes as [CursorScope];
  const key = randomBytes(32);
  const cursor = new Cursors(key).seal(position, scope);
  expect(new Cursors(key).open(cursor, scope)).toEqual(position);
  expect(() => cursors.open(cursor, scope)).toThrow();
});
