import { toDid } from '@stratos/protocol';
import { expect, it } from 'vitest';
import { ActorKeys } from './actor-keys.ts';

const did = toDid('did:plc:rei');

function storeOf(...keys: Uint8Array[]) {
  let reads = 0;
  const signingKey = async () => keys[Math.min(reads++, keys.length - 1)] ?? new Uint8Array();
  return { did, signingKey, reads: () => reads };
}

it('reads the key of an actor once, until it is told to forget', async () => {
  const keys = new ActorKeys();
  const store = storeOf(keys.generate(did), keys.generate(did));
  const first = await keys.of(store);
  expect(await keys.of(store)).toBe(first);
  expect(store.reads()).toBe(1);
  keys.forget(did);
  expect((await keys.of(store)).did()).not.toBe(first.did());
});

it('signs with no key that another process has replaced', async () => {
  const keys = new ActorKeys(undefined, true);
  const [before, after] = [keys.generate(did), keys.generate(did)];
  const store = storeOf(before, before, after);
  const first = await keys.of(store);
  expect(await keys.of(store)).toBe(first);
  expect((await keys.of(store)).did()).not.toBe(first.did());
});
