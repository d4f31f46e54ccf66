import type { Cid } from '@stratos/protocol';
import { beforeEach, expect, it } from 'vitest';
import { didOf, revOf } from '../conformance/fixtures.ts';
import { BlockCache } from './block-cache.ts';

const [one, two] = [didOf('one'), didOf('two')];
const root = (number: number) => ({ cid: `root${number}` as Cid, rev: revOf(number) });
const node = (name: string): [Cid, Uint8Array] => [
  name as Cid,
  new Uint8Array([0xa2, 0x61, 0x65, ...new TextEncoder().encode(name)]),
];
const record = (name: string): [Cid, Uint8Array] => [
  name as Cid,
  new Uint8Array([0xa3, 0x64, ...new TextEncoder().encode(name)]),
];

let cache: BlockCache;
beforeEach(() => {
  cache = new BlockCache(4);
});

it('keeps nodes of trees, and no records', () => {
  cache.add(one, root(1), [node('a'), record('b'), node('a')]);
  expect([...cache.at(one, root(1)).keys()]).toEqual(['a']);
  expect(cache.size).toBe(1);
});

it('answers for the commit that it knows, and for that alone', () => {
  cache.add(one, root(2), [node('a')]);
  expect(cache.at(one, root(1)).size).toBe(0);
  expect(cache.at(two, root(2)).size).toBe(0);
  cache.add(one, root(1), [node('old')]);
  expect([...cache.at(one, root(2)).keys()]).toEqual(['a']);
  cache.add(one, root(3), [node('new')]);
  expect(cache.at(one, root(2)).size).toBe(0);
  expect([...cache.at(one, root(3)).keys()]).toEqual(['new']);
  expect(cache.size).toBe(1);
});

it('goes on to the next commit without what it removes, unless it missed one', () => {
  cache.add(one, root(1), [node('a'), node('b')]);
  cache.advance(one, root(1), root(2), [node('a')[0], node('unknown')[0]]);
  expect([...cache.at(one, root(2)).keys()]).toEqual(['b']);
  cache.advance(one, root(7), root(8), []);
  expect(cache.at(one, root(8)).size).toBe(0);
  expect(cache.size).toBe(0);
});

it('forgets those that were not used for longest', () => {
  cache.add(one, root(1), [node('a'), node('b')]);
  cache.add(two, root(1), [node('c'), node('d')]);
  cache.at(one, root(1));
  cache.add(didOf('three'), root(1), [node('e')]);
  expect(cache.at(two, root(1)).size).toBe(0);
  expect(cache.at(one, root(1)).size).toBe(2);
  expect(cache.size).toBe(3);
  expect(new BlockCache(0).at(one, root(1)).size).toBe(0);
});
