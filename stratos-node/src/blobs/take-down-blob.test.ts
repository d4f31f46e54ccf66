import { toDid } from '@stratos/protocol';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  type BlobJson,
  blobFiles,
  descriptionOf,
  picture,
  pictureRecord,
  tryUpload,
  upload,
} from '../testing/test-blobs.ts';
import { SWORDSMITH, TestNode, TestPerson } from '../testing/test-node.ts';
import { removeAllBlobs } from './remove-all-blobs.ts';
import { takeDownBlob } from './take-down-blob.ts';

const rei = TestPerson.named('rei');
const kaoruko = TestPerson.named('kaoruko');

let node: TestNode;
beforeEach(async () => {
  node = await TestNode.start({ people: [rei, kaoruko] });
  for (const person of [rei, kaoruko]) await node.enroll(person, [SWORDSMITH]);
});
afterEach(() => node[Symbol.asyncDispose]());

const permanent = (person: TestPerson, { ref }: BlobJson) => `${person.did}/${ref.$link}`;
const quarantined = (blob: BlobJson) => `quarantine/${permanent(rei, blob)}`;

async function stored(blob: BlobJson) {
  const { cid } = descriptionOf(blob);
  const found = await node.ctx.actors.read(rei.did, (actor) => actor.blobs.find([cid]));
  return found?.get(cid);
}

async function takeDown(blob: BlobJson, applied: boolean): Promise<boolean> {
  const { cid } = descriptionOf(blob);
  return takeDownBlob(node.ctx, rei.did, cid, { applied, ref: 'case 1' });
}

it('moves a blob that is taken down into quarantine, and back', async () => {
  const blob = await upload(node, rei, picture('a'));
  await node.createPost(rei, pictureRecord(blob));
  for (const _time of ['first', 'second']) expect(await takeDown(blob, true)).toBe(true);
  expect(await blobFiles(node.dataDir)).toEqual([quarantined(blob)]);
  expect(await stored(blob)).toMatchObject({ takedownRef: 'case 1' });
  for (const _time of ['first', 'second']) expect(await takeDown(blob, false)).toBe(true);
  expect(await blobFiles(node.dataDir)).toEqual([permanent(rei, blob)]);
  expect(await takeDown({ ...blob, ref: { $link: 'bafkreigh2akiscaildc' } }, true)).toBe(false);
});

it('takes neither a blob that was taken down nor records that refer to it', async () => {
  const blob = await upload(node, rei, picture('a'));
  const { uri } = await node.createPost(rei, pictureRecord(blob));
  await takeDown(blob, true);
  const refusal = await tryUpload(node, rei, picture('a'));
  expect(refusal.status).toBe(400);
  expect(await refusal.json()).toMatchObject({ message: 'The blob was taken down' });
  const refused = await node.tryPost(rei, pictureRecord(blob));
  expect(await refused.json()).toMatchObject({ error: 'InvalidRecord' });
  await node.deletePost(rei, uri);
  expect(await blobFiles(node.dataDir)).toEqual([]);
  expect((await tryUpload(node, rei, picture('a'))).status).toBe(400);
  await takeDown(blob, false);
  expect((await tryUpload(node, rei, picture('a'))).status).toBe(200);
});

it('takes down an upload that no record refers to', async () => {
  const blob = await upload(node, rei, picture('a'));
  await takeDown(blob, true);
  expect(await blobFiles(node.dataDir)).toEqual([]);
  expect((await tryUpload(node, rei, picture('a'))).status).toBe(400);
});

it('leaves nothing of somebody’s blobs, wherever they are', async () => {
  const [shown, takenDown] = [
    await upload(node, rei, picture('a')),
    await upload(node, rei, picture('b')),
  ];
  for (const blob of [shown, takenDown]) await node.createPost(rei, pictureRecord(blob));
  await takeDown(takenDown, true);
  await upload(node, rei, picture('c'));
  const theirs = await upload(node, kaoruko, picture('a'));
  await node.createPost(kaoruko, pictureRecord(theirs));
  for (const _time of ['first', 'second']) await removeAllBlobs(node.ctx, rei.did);
  expect(await blobFiles(node.dataDir)).toEqual([permanent(kaoruko, theirs)]);
  expect(await stored(shown)).toBeUndefined();
  expect(await stored(takenDown)).toBeUndefined();
  await removeAllBlobs(node.ctx, toDid('did:plc:nobodyaaaaaaaaaaaaaaaaaa'));
});
