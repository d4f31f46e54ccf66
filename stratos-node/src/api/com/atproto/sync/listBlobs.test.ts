import { com } from '@stratos/protocol/lexicons';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { takeDownBlob } from '../../../../blobs/take-down-blob.ts';
import { descriptionOf, picture, pictureRecord, upload } from '../../../../testing/test-blobs.ts';
import { SWORDSMITH, TestNode, TestPerson } from '../../../../testing/test-node.ts';

const { $nsid } = com.atproto.sync.listBlobs;
const rei = TestPerson.named('rei');
const kaoruko = TestPerson.named('kaoruko');
const nobody = TestPerson.named('nobody');

let node: TestNode;
beforeEach(async () => {
  node = await TestNode.start({ people: [rei, kaoruko, nobody] });
  await node.enroll(rei, [SWORDSMITH]);
  await node.enroll(kaoruko, [SWORDSMITH]);
});
afterEach(() => node[Symbol.asyncDispose]());

async function shown(name: string) {
  const blob = await upload(node, rei, picture(name));
  const { uri, commit } = await node.createPost(rei, pictureRecord(blob));
  return { blob, cid: blob.ref.$link, uri, rev: commit?.rev ?? '' };
}

async function list(person: TestPerson, params: Record<string, string> = {}) {
  const response = await node.query(person, $nsid, { did: rei.did, ...params });
  return (await response.json()) as com.atproto.sync.listBlobs.$OutputBody;
}

it('lists the blobs that records refer to, to the owner and to AppViews', async () => {
  const pictures = [await shown('a'), await shown('b')];
  await upload(node, rei, picture('no record refers to it'));
  const cids = pictures.map(({ cid }) => cid).sort();
  expect(await list(rei)).toEqual({ cids });
  expect(await list(node.appView)).toEqual({ cids });
});

it('lists a blob once, however many records refer to it', async () => {
  const { blob, cid } = await shown('a');
  await node.createPost(rei, pictureRecord(blob));
  expect(await list(rei)).toEqual({ cids: [cid] });
});

it('leaves out what is deleted or taken down', async () => {
  const gone = await shown('a');
  const takenDown = await shown('b');
  await node.deletePost(rei, gone.uri);
  const { cid } = descriptionOf(takenDown.blob);
  await takeDownBlob(node.ctx, rei.did, cid, { applied: true, ref: 'case 1' });
  expect(await list(rei)).toEqual({ cids: [] });
});

it('gives pages that are full', async () => {
  const cids: string[] = [];
  for (const name of ['a', 'b', 'c', 'd', 'e']) cids.push((await shown(name)).cid);
  cids.sort();
  const first = await list(rei, { limit: '2' });
  expect(first).toEqual({ cids: cids.slice(0, 2), cursor: cids[1] });
  const second = await list(rei, { limit: '2', cursor: first.cursor ?? '' });
  expect(second).toEqual({ cids: cids.slice(2, 4), cursor: cids[3] });
  const last = await list(rei, { limit: '2', cursor: second.cursor ?? '' });
  expect(last).toEqual({ cids: cids.slice(4) });
});

it('lists what came after a revision', async () => {
  const before = await shown('a');
  const after = await shown('b');
  expect(await list(rei, { since: before.rev })).toEqual({ cids: [after.cid] });
  expect(await list(rei, { since: after.rev })).toEqual({ cids: [] });
});

it('tells nobody else whether there is such a repo', async () => {
  await shown('a');
  const ask = async (person: TestPerson, did: string) => {
    const response = await node.query(person, $nsid, { did });
    return { status: response.status, body: await response.text() };
  };
  const missing = await ask(kaoruko, nobody.did);
  expect(missing).toMatchObject({ status: 404, body: expect.stringContaining('RepoNotFound') });
  expect(await ask(kaoruko, rei.did)).toEqual(missing);
  expect(await ask(nobody, rei.did)).toEqual(missing);
  expect((await node.get($nsid, { did: rei.did })).status).toBe(401);
});
