import { createGuardedFetch, SigningKey, signAttestation, toDid } from '@stratos/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TakenOverError } from '../../followers/fence.ts';
import { Author } from '../../testing/author.ts';
import { World } from '../../testing/world.ts';
import { applyHints } from './apply-hints.ts';
import { applyWords } from './apply-words.ts';
import { leaveRecords } from './leave-records.ts';
import { LOSS } from './read-hint.ts';

const REI = toDid('did:plc:aaaaaaaaaaaaaaaaaaaaaaaa');

let world: World;

beforeEach(async () => {
  world = await World.create();
  await world.db.node.updateMany({
    data: { follower: 'another', followEpoch: 2, stream: 'records' },
  });
});
afterEach(() => world[Symbol.asyncDispose]());

test('nothing is written for a node that another indexer follows by now', async () => {
  const { db, node } = world;
  const place = { db, nodeDid: node.did, fence: { follower: 'this one', epoch: 1n } };
  const rei = await Author.create(REI);
  const claims = { did: REI, boundaries: [node.boundary('art')], signingKey: rei.key.did() };
  const attestation = await signAttestation(claims, node.key);
  const words = new Map([[REI, { ...claims, attestation }]]);
  const appView = { did: REI, key: SigningKey.generate('secp256k1') };
  const fetchLog = createGuardedFetch({ devMode: true });
  const source = { ...place, endpoint: node.url, keys: [node.key.did()], leaseSeconds: 60 };
  const { signal } = new AbortController();

  await expect(applyWords(place, words)).rejects.toThrow(TakenOverError);
  await expect(applyHints({ ...place, did: REI }, [LOSS])).rejects.toThrow(TakenOverError);
  await expect(leaveRecords({ appView, fetchLog }, source, signal)).rejects.toThrow(TakenOverError);
  expect(await db.membership.count()).toBe(0);
  expect((await db.node.findFirstOrThrow()).stream).toBe('records');
});
