import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  boundaryName,
  boundaryNode,
  isBoundary,
  qualifyBoundary,
  recordBoundaries,
  toBoundary,
} from './boundary.ts';
import { InvalidBoundaryError } from './errors.ts';
import { toDid } from './identifiers.ts';

const node = toDid('did:web:localhost%3A3100');
const name = fc.stringMatching(/^[a-z0-9\-_.]{1,100}$/);

describe('boundary', () => {
  it('round-trips through its parts', () => {
    fc.assert(
      fc.property(name, (name) => {
        const boundary = qualifyBoundary(node, name);
        expect(boundaryNode(boundary)).toBe(node);
        expect(boundaryName(boundary)).toBe(name);
        expect(toBoundary(`${node}/${name}`)).toBe(boundary);
      }),
    );
  });

  it.each([
    'swordsmith',
    `${node}/`,
    `${node}/Sword`,
    `${node}/a/b`,
    `${node}/a b`,
    `${node}/ä`,
    `${node}/${'a'.repeat(101)}`,
    `${node}/a\0`,
    '/a',
    'did:web/a',
    'did:key:zDnaeTest/a',
    '',
    undefined,
    7,
  ])('refuses %j', (value) => {
    expect(isBoundary(value)).toBe(false);
    expect(() => toBoundary(value)).toThrow(InvalidBoundaryError);
  });

  it('reads the boundaries of a record, bare names as the node’s own, each once', () => {
    const boundary = { values: [{ value: 'sailors' }, { value: `${node}/art` }, { value: 'art' }] };
    expect(recordBoundaries({ boundary }, node)).toEqual([`${node}/art`, `${node}/sailors`]);
    expect(recordBoundaries({}, node)).toEqual([]);
  });

  it.each([
    [{ boundary: null }],
    [{ boundary: { values: 'art' } }],
    [{ boundary: { values: ['art'] } }],
    [{ boundary: { values: [{ value: 'Not Valid' }] } }],
    [{ boundary: { values: Array.from({ length: 11 }, (_, i) => ({ value: `b${i}` })) } }],
  ])('does not guess at %j', (record) => {
    expect(() => recordBoundaries(record, node)).toThrow(InvalidBoundaryError);
  });
});
