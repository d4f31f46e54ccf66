import { createGuardedFetch, SigningKey, signAttestation, toDid } from '@stratos/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Author } from '../../testing/author.ts';
import { World } from '../../testing/world.ts';
import { applyWords } from './apply-words.ts';
import { leaveRecords } from './leave-records.ts';

const REI = toDid('did:plc:aaaaaaaaaaaaaaaaaaaaaaaa');
const SAKURA = toDid('did:plc:bbbbbbbbbbbbbbbbbbbbbbbb');

let world: World;
let rei: Author;
let sakura: Author;

beforeEach(async () => {
  world = await World.create();
  const { db, node } = world;
  rei = await Author.create(REI);
  sakura = await Author.create(SAKURA);
  await db.node.updateMany({
    data: { stream: 'records', leaseUntil: new Date(Date.now() + 60_000) },
  });
  for (const { did, key } of [rei, sakura]) {
    const claims = { did, boundaries: [node.boundary('art')], signingKey: key.did() };
    const attestation = await signAttestation(claims, node.key);
    await applyWords({ db, nodeDid: node.did }, new Map([[did, { ...claims, attestation }]]));
    await db.actorCursor.create({ data: { did, nodeDid: node.did, seq: 5 } });
  }
});
afterEach(() => world[Symbol.asyncDispose]());

async function leave(signal = new AbortController().signal): Promise<void> {
  const { db, node } = world;
  const appView = {
    did: toDid('did:web:localhost%3A4000'),
    key: SigningKey.generate('secp256k1'),
  };
  const { did: nodeDid, url: endpoint, key } = node;
  const source = { db, nodeDid, endpoint, keys: [key.did()], leaseSeconds: 60 };
  await leaveRecords({ appView, fetchLog: createGuardedFetch({ devMode: true }) }, source, signal);
}

async function members(): Promise<string[]> {
  const rows = await world.db.membershipBoundary.findMany({ orderBy: { did: 'asc' } });
  return rows.map(({ did, boundary }) => `${did} ${boundary.split('/').at(-1)}`);
}

test('the log takes the place of what was attested, and of who is not in it', async () => {
  await world.node.membership(rei, ['art', 'writers']);
  await world.node.membership(rei, ['writers']);
  expect(await members()).toEqual([`${REI} art`, `${SAKURA} art`]);
  await leave();
  expect(await members()).toEqual([`${REI} writers`]);
  expect(await world.db.actorCursor.count()).toBe(0);
  expect((await world.db.node.findFirstOrThrow()).stream).toBe('service');
});

test('nobody reads anything while the log is read, nor until the stream shows that it is all', async () => {
  await world.node.membership(rei, ['writers']);
  await expect(leave(AbortSignal.abort())).rejects.toThrow();
  const { leaseUntil, stream } = await world.db.node.findFirstOrThrow();
  expect({ leaseUntil, stream }).toEqual({ leaseUntil: null, stream: 'records' });
  await leave();
  expect((await world.db.node.findFirstOrThrow()).leaseUntil).toBeNull();
});
