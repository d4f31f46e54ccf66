import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type AtUri, toCid } from '@stratos/protocol';
import { com } from '@stratos/protocol/lexicons';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { takeDownBlob } from '../../../../blobs/take-down-blob.ts';
import { enroll } from '../../../../enrollment/enroll.ts';
import { unenroll } from '../../../../enrollment/unenroll.ts';
import {
  type BlobJson,
  blobFiles,
  descriptionOf,
  FILE,
  fileRecord,
  getBlob,
  picture,
  pictureRecord,
  tryUpload,
  upload,
} from '../../../../testing/test-blobs.ts';
import {
  AEKEA,
  postRecord,
  SWORDSMITH,
  TestNode,
  TestPerson,
} from '../../../../testing/test-node.ts';

const rei = TestPerson.named('rei');
const kaoruko = TestPerson.named('kaoruko');
const outsider = TestPerson.named('outsider');
const nobody = TestPerson.named('nobody');
const people = [rei, kaoruko, outsider, nobody];
const BYTES = picture('a', 3_000);

let node: TestNode;
beforeEach(async () => {
  node = await TestNode.start({ people });
  await node.enroll(rei, [SWORDSMITH, AEKEA]);
  await node.enroll(kaoruko, [SWORDSMITH]);
  await node.enroll(outsider, [AEKEA]);
});
afterEach(() => node[Symbol.asyncDispose]());

async function shown(): Promise<{ cid: string; blob: BlobJson; uri: string }> {
  const blob = await upload(node, rei, BYTES);
  const { uri } = await node.createPost(rei, pictureRecord(blob));
  return { cid: blob.ref.$link, blob, uri };
}

async function statusFor(person: TestPerson, cid: string): Promise<number> {
  const response = await getBlob(node, person, rei, cid);
  await response.arrayBuffer();
  return response.status;
}

/** An answer as it comes over the wire, but for the date and what becomes of the connection. */
async function exact(response: Response) {
  const { headers: all } = response;
  const headers = [...all].filter(([name]) => !/^(date|connection|keep-alive)$/.test(name));
  return { status: response.status, headers, body: await response.text() };
}

it('gives a blob to its owner, to who may read a record with it, and to AppViews', async () => {
  const { cid } = await shown();
  for (const person of [rei, kaoruko, node.appView]) {
    const response = await getBlob(node, person, rei, cid);
    expect(response.status).toBe(200);
    expect(Buffer.compare(Buffer.from(await response.arrayBuffer()), BYTES)).toBe(0);
  }
});

it('says what the bytes are and lets no browser run them', async () => {
  const { cid } = await shown();
  const response = await getBlob(node, kaoruko, rei, cid);
  await response.arrayBuffer();
  const { headers } = response;
  expect(Object.fromEntries(headers)).toMatchObject({
    'content-type': 'image/png',
    'content-length': '3000',
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; sandbox",
    'cache-control': expect.stringContaining('no-store'),
    vary: expect.stringContaining('Authorization'),
    'accept-ranges': 'bytes',
  });
  expect(headers.has('content-disposition')).toBe(false);
});

it('has everything but media downloaded rather than shown', async () => {
  const response = await tryUpload(node, rei, 'some words');
  const { blob } = (await response.json()) as { blob: BlobJson };
  await node.createPost(rei, fileRecord(blob), { collection: FILE });
  const answer = await getBlob(node, kaoruko, rei, blob.ref.$link);
  expect(await answer.text()).toBe('some words');
  const { headers } = answer;
  expect(headers.get('content-type')).toBe('text/plain');
  expect(headers.get('content-disposition')).toBe('attachment');
});

describe('what a viewer may not have looks like what is not there', () => {
  async function absent() {
    const other = await upload(node, kaoruko, picture('never referred to'));
    return exact(await getBlob(node, outsider, rei, other.ref.$link));
  }

  it('for a blob whose records are hidden', async () => {
    const { cid } = await shown();
    const missing = await absent();
    expect(missing).toMatchObject({ status: 404, body: expect.stringContaining('BlobNotFound') });
    expect(await exact(await getBlob(node, outsider, rei, cid))).toEqual(missing);
    expect(await exact(await getBlob(node, nobody, rei, cid))).toEqual(missing);
  });

  it('for a repo that does not exist, and one that is not the owner’s', async () => {
    const { cid } = await shown();
    const missing = await absent();
    expect(await exact(await getBlob(node, kaoruko, nobody, cid))).toEqual(missing);
    expect(await exact(await getBlob(node, kaoruko, outsider, cid))).toEqual(missing);
    expect(await exact(await getBlob(node, kaoruko, kaoruko, cid))).toEqual(missing);
  });

  it('for an upload that no record refers to, even for its owner', async () => {
    const { ref } = await upload(node, rei, BYTES);
    const missing = await absent();
    for (const person of [rei, kaoruko, node.appView]) {
      expect(await exact(await getBlob(node, person, rei, ref.$link))).toEqual(missing);
    }
  });

  it('for a blob that was taken down, until it is put back', async () => {
    const { cid, blob } = await shown();
    const missing = await absent();
    const matter = { ref: 'case 1' };
    await takeDownBlob(node.ctx, rei.did, descriptionOf(blob).cid, { applied: true, ...matter });
    for (const person of [rei, kaoruko, node.appView]) {
      expect(await exact(await getBlob(node, person, rei, cid))).toEqual(missing);
    }
    await takeDownBlob(node.ctx, rei.did, descriptionOf(blob).cid, { applied: false, ...matter });
    for (const person of [rei, kaoruko, node.appView])
      expect(await statusFor(person, cid)).toBe(200);
  });

  it('for a blob that is being taken down, before its bytes are moved', async () => {
    const { cid, blob } = await shown();
    const missing = await absent();
    vi.spyOn(node.ctx.blobs, 'quarantine').mockRejectedValue(new Error('unreachable'));
    const takedown = { applied: true, ref: 'case 1' };
    await takeDownBlob(node.ctx, rei.did, descriptionOf(blob).cid, takedown).catch(() => undefined);
    expect(await blobFiles(node.dataDir)).toContain(`${rei.did}/${cid}`);
    for (const person of [rei, kaoruko, node.appView]) {
      expect(await exact(await getBlob(node, person, rei, cid))).toEqual(missing);
    }
    expect((await node.tryPost(rei, pictureRecord(blob))).status).toBe(400);
  });

  it('for a blob that a record was mistaken to refer to', async () => {
    const { cid } = await shown();
    const missing = await absent();
    const { uri } = await node.createPost(rei, postRecord('no picture', [AEKEA]));
    await node.ctx.actors.write(rei.did, (actor) =>
      actor.blobs.refer(new Map([[uri as AtUri, [toCid(cid)]]])),
    );
    expect(await exact(await getBlob(node, outsider, rei, cid))).toEqual(missing);
  });

  it('for a blob whose record was deleted', async () => {
    const { cid, uri } = await shown();
    const missing = await absent();
    await node.deletePost(rei, uri);
    for (const person of [rei, kaoruko, node.appView]) {
      expect(await exact(await getBlob(node, person, rei, cid))).toEqual(missing);
    }
  });

  it('for a blob whose bytes were lost', async () => {
    const { cid } = await shown();
    const missing = await absent();
    await unlink(join(node.dataDir, 'blobs', rei.did, cid));
    expect(await exact(await getBlob(node, kaoruko, rei, cid))).toEqual(missing);
    const head = await getBlob(node, kaoruko, rei, cid, { method: 'HEAD' });
    expect(head.status).toBe(404);
  });

  it('whatever part is asked for', async () => {
    const { cid } = await shown();
    for (const range of ['bytes=0-1', 'bytes=999999-']) {
      const missing = await exact(await getBlob(node, outsider, nobody, cid, { range }));
      expect(missing.status).toBe(404);
      expect(await exact(await getBlob(node, outsider, rei, cid, { range }))).toEqual(missing);
    }
  });

  it('for all others at once when the owner leaves, until they come back', async () => {
    const { cid } = await shown();
    const missing = await absent();
    await unenroll(node.ctx, rei.did);
    expect(await exact(await getBlob(node, kaoruko, rei, cid))).toEqual(missing);
    expect(await exact(await getBlob(node, node.appView, rei, cid))).toEqual(missing);
    expect(await statusFor(rei, cid)).toBe(200);
    await enroll(node.ctx, rei.did, { boundaries: [SWORDSMITH] });
    expect(await statusFor(kaoruko, cid)).toBe(200);
  });
});

it('asks who is asking', async () => {
  const { cid } = await shown();
  const { status } = await getBlob(node, undefined, rei, cid);
  expect(status).toBe(401);
  const wrong = { authorization: await kaoruko.authorization(com.atproto.sync.listBlobs.$nsid) };
  expect((await getBlob(node, undefined, rei, cid, wrong)).status).toBe(401);
});

it('gives a blob that any one of several records lets the viewer have', async () => {
  const blob = await upload(node, rei, BYTES);
  const hidden = await node.createPost(rei, pictureRecord(blob, [AEKEA]));
  expect(await statusFor(kaoruko, blob.ref.$link)).toBe(404);
  const open = await node.createPost(rei, pictureRecord(blob, [SWORDSMITH]));
  expect(await statusFor(kaoruko, blob.ref.$link)).toBe(200);
  await node.deletePost(rei, open.uri);
  expect(await statusFor(kaoruko, blob.ref.$link)).toBe(404);
  expect(await statusFor(outsider, blob.ref.$link)).toBe(200);
  await node.deletePost(rei, hidden.uri);
  expect(await statusFor(outsider, blob.ref.$link)).toBe(404);
});

it('follows a record into another boundary', async () => {
  const { cid, blob, uri } = await shown();
  const update = {
    $type: com.atproto.repo.applyWrites.update.$type,
    collection: uri.split('/')[3],
    rkey: uri.split('/')[4],
    value: pictureRecord(blob, [AEKEA]),
  };
  expect((await node.applyWrites(rei, [update])).status).toBe(200);
  expect(await statusFor(kaoruko, cid)).toBe(404);
  expect(await statusFor(outsider, cid)).toBe(200);
});
