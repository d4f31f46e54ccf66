import { cidOf, signAttestation, type Tid, toDid } from '@stratos/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { askForRepos } from '../../resync/ask-for-repos.ts';
import { Author } from '../../testing/author.ts';
import { World } from '../../testing/world.ts';
import { applyHints, BrokenPromiseError, type HintPlace } from './apply-hints.ts';
import { applyWords } from './apply-words.ts';
import type { Hint } from './read-hint.ts';

const REI = toDid('did:plc:aaaaaaaaaaaaaaaaaaaaaaaa');
const [KNOWN, NEWER, NEWEST] = ['3kaaaaaaaaaaa', '3kbbbbbbbbbbb', '3kccccccccccc'] as Tid[];

let world: World;
let place: HintPlace;

beforeEach(async () => {
  world = await World.create();
  const { db, node } = world;
  place = { db, nodeDid: node.did, did: REI };
  const rei = await Author.create(REI);
  const claims = { did: REI, boundaries: [node.boundary('art')], signingKey: rei.key.did() };
  const attestation = await signAttestation(claims, node.key);
  await applyWords(place, new Map([[REI, { ...claims, attestation }]]));
  const cid = await cidOf(new Uint8Array());
  const nodeDid = node.did;
  await db.repo.create({ data: { did: REI, nodeDid, rev: KNOWN ?? '', commit: cid, data: cid } });
  await db.resync.deleteMany({});
});
afterEach(() => world[Symbol.asyncDispose]());

const hint = (seq: number, rev: Tid | undefined): Hint => ({ seq, rev, outdated: [] });
const isAsked = async () => (await world.db.resync.count()) > 0;

test('a repo is fetched for a newer revision than is known, and for no other', async () => {
  await applyHints(place, [hint(1, KNOWN)], KNOWN);
  expect(await isAsked()).toBe(false);
  await applyHints(place, [hint(2, NEWER)], KNOWN);
  expect(await isAsked()).toBe(true);
  expect(await world.db.actorCursor.findMany()).toMatchObject([{ did: REI, seq: 2n }]);
});

test('a repo that is not as new as was said is not fetched for more of the same', async () => {
  await expect(applyHints(place, [hint(2, NEWEST)], NEWER)).rejects.toThrow(BrokenPromiseError);
  expect(await isAsked()).toBe(false);
  await askForRepos(world.db, { nodeDid: place.nodeDid, dids: [REI], reason: 'returned' });
  await applyHints(place, [hint(2, NEWEST)], NEWER);
});

test('nothing is fetched of who is no member', async () => {
  await applyWords(place, new Map([[REI, undefined]]));
  await applyHints(place, [hint(1, NEWER)]);
  expect(await isAsked()).toBe(false);
});
