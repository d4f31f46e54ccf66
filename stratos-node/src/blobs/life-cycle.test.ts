import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type AtUri, toDid } from '@stratos/protocol';
import { com } from '@stratos/protocol/lexicons';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { sweepLater } from '../testing/old-uploads.ts';
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
} from '../testing/test-blobs.ts';
import { postRecord, SWORDSMITH, TestNode, TestPerson } from '../testing/test-node.ts';

const rei = TestPerson.named('rei');
const kaoruko = TestPerson.named('kaoruko');
const REFUSAL = {
  error: 'InvalidRecord',
  message: 'A blob of the record could not be found',
};

let dataDir: string;
let node: TestNode;
const start = async () => {
  node = await TestNode.start({ people: [rei, kaoruko], dataDir });
};
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'stratos-'));
  await start();
  for (const person of [rei, kaoruko]) await node.enroll(person, [SWORDSMITH]);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await node[Symbol.asyncDispose]();
  await rm(dataDir, { recursive: true });
});

const permanent = (person: TestPerson, { ref }: BlobJson) => `${person.did}/${ref.$link}`;

async function refusalOf(response: Response) {
  const { error, message } = (await response.json()) as Record<string, unknown>;
  return { error, message };
}

async function stored(blob: BlobJson) {
  const { cid } = descriptionOf(blob);
  const found = await node.ctx.actors.read(rei.did, (actor) => actor.blobs.find([cid]));
  return found?.get(cid);
}

it('makes a blob permanent when a record refers to it', async () => {
  const blob = await upload(node, rei, picture('a'));
  await node.createPost(rei, pictureRecord(blob));
  expect(await blobFiles(dataDir)).toEqual([permanent(rei, blob)]);
  expect(await readFile(join(dataDir, 'blobs', permanent(rei, blob)))).toEqual(picture('a'));
});

it('removes a blob with the last record that refers to it', async () => {
  const blob = await upload(node, rei, picture('a'));
  const first = await node.createPost(rei, pictureRecord(blob));
  const second = await node.createPost(rei, pictureRecord(blob));
  await node.deletePost(rei, first.uri);
  expect(await blobFiles(dataDir)).toEqual([permanent(rei, blob)]);
  await node.deletePost(rei, second.uri);
  expect(await blobFiles(dataDir)).toEqual([]);
  expect(await stored(blob)).toBeUndefined();
});

it('removes what a replaced record referred to, and keeps what it still refers to', async () => {
  const [kept, gone, added] = [
    await upload(node, rei, picture('kept')),
    await upload(node, rei, picture('gone')),
    await upload(node, rei, picture('added')),
  ];
  const file = { repo: rei.did, collection: FILE, rkey: 'files' };
  const put = async (...blobs: BlobJson[]) =>
    node.procedure(rei, com.atproto.repo.putRecord.$nsid, {
      ...file,
      record: fileRecord(...blobs),
    });
  expect((await put(kept, gone)).status).toBe(200);
  expect((await put(kept, added)).status).toBe(200);
  expect(await blobFiles(dataDir)).toEqual([permanent(rei, kept), permanent(rei, added)].sort());
  expect((await put()).status).toBe(200);
  expect(await blobFiles(dataDir)).toEqual([]);
});

it('keeps the same bytes of two people apart', async () => {
  const blob = await upload(node, rei, picture('a'));
  const mine = await node.createPost(rei, pictureRecord(blob));
  await upload(node, kaoruko, picture('a'));
  await node.createPost(kaoruko, pictureRecord(blob));
  await node.deletePost(rei, mine.uri);
  expect(await blobFiles(dataDir)).toEqual([permanent(kaoruko, blob)]);
});

it('writes a batch of records with blobs, or nothing of it', async () => {
  const blobs = [await upload(node, rei, picture('a')), await upload(node, rei, picture('b'))];
  const write = (record: object) => ({
    $type: com.atproto.repo.applyWrites.create.$type,
    collection: FILE,
    value: record,
  });
  const missing = { ...(blobs[0] as BlobJson), size: 1 };
  const writes = blobs.map((blob) => write(fileRecord(blob)));
  const refused = await node.applyWrites(rei, [...writes, write(fileRecord(missing))]);
  expect(await refusalOf(refused)).toEqual(REFUSAL);
  expect((await blobFiles(dataDir)).every((file) => file.startsWith('temp/'))).toBe(true);
  expect((await node.applyWrites(rei, writes)).status).toBe(200);
  expect(await blobFiles(dataDir)).toEqual(blobs.map((blob) => permanent(rei, blob)).sort());
});

it('lets a record refer to nothing but what its author uploaded, as it was', async () => {
  const blob = await upload(node, rei, picture('a'));
  const theirs = await upload(node, kaoruko, picture('theirs'));
  const never = { ...blob, ref: { $link: theirs.ref.$link.slice(0, -4).concat('aaaa') } };
  for (const wrong of [
    theirs,
    never,
    { ...blob, mimeType: 'image/jpeg' },
    { ...blob, size: blob.size + 1 },
    { ...blob, size: -1 },
    { cid: blob.ref.$link, mimeType: blob.mimeType },
  ]) {
    const record = fileRecord(wrong as BlobJson);
    const response = await node.tryPost(rei, record, { collection: FILE });
    expect(await refusalOf(response)).toEqual(REFUSAL);
    const unchecked = await node.tryPost(rei, record, { collection: FILE, validate: false });
    expect(await refusalOf(unchecked)).toEqual(REFUSAL);
  }
  expect((await node.tryPost(rei, fileRecord(blob), { collection: FILE })).status).toBe(200);
});

it('leaves it to the lexicon how large a blob may be, and of what type', async () => {
  const large = await upload(node, rei, picture('a', 3_000_000));
  expect(await refusalOf(await node.tryPost(rei, pictureRecord(large)))).toMatchObject({
    error: 'InvalidRecord',
    message: expect.stringMatching(/too big/),
  });
  const response = await tryUpload(node, rei, 'some words');
  const { blob: words } = (await response.json()) as { blob: BlobJson };
  expect(await refusalOf(await node.tryPost(rei, pictureRecord(words)))).toMatchObject({
    error: 'InvalidRecord',
    message: expect.stringMatching(/mimeType/),
  });
});

it('answers a write that is repeated as before', async () => {
  const blob = await upload(node, rei, picture('a'));
  const record = fileRecord(blob);
  const first = await node.createPost(rei, record, { collection: FILE, rkey: 'mine' });
  expect(await node.createPost(rei, record, { collection: FILE, rkey: 'mine' })).toEqual(first);
  expect(await blobFiles(dataDir)).toEqual([permanent(rei, blob)]);
});

it('removes an upload to which no record came to refer, when its time has come', async () => {
  const blob = await upload(node, rei, picture('a'));
  await node.ctx.blobSweep.run();
  expect(await blobFiles(dataDir)).toHaveLength(1);
  await sweepLater(node);
  expect(await blobFiles(dataDir)).toEqual([]);
  expect(await stored(blob)).toBeUndefined();
  expect(await refusalOf(await node.tryPost(rei, pictureRecord(blob)))).toEqual(REFUSAL);
});

it('never removes what a record refers to, however old', async () => {
  const blob = await upload(node, rei, picture('a'));
  await node.createPost(rei, pictureRecord(blob));
  await upload(node, rei, picture('a'));
  await sweepLater(node);
  expect(await blobFiles(dataDir)).toEqual([permanent(rei, blob)]);
  expect((await getBlob(node, kaoruko, rei, blob.ref.$link)).status).toBe(200);
});

it('keeps a blob that is referred to when a later write of it is refused', async () => {
  const blob = await upload(node, rei, picture('a'));
  const swap = { swapCommit: (await upload(node, rei, picture('b'))).ref.$link };
  expect((await node.tryPost(rei, pictureRecord(blob), swap)).status).toBe(409);
  await node.createPost(rei, pictureRecord(blob));
  await sweepLater(node);
  expect(await blobFiles(dataDir)).toEqual([permanent(rei, blob)]);
});

it('removes what a refused write made permanent', async () => {
  const blob = await upload(node, rei, picture('a'));
  const swap = { swapCommit: blob.ref.$link };
  expect((await node.tryPost(rei, pictureRecord(blob), swap)).status).toBe(409);
  await sweepLater(node);
  expect(await blobFiles(dataDir)).toEqual([]);
});

it('removes files of uploads that a crash left without anything known of them', async () => {
  const nobody = toDid('did:plc:nobodyaaaaaaaaaaaaaaaaaa');
  for (const did of [rei.did, nobody]) {
    const path = join(dataDir, 'blobs', 'temp', did, 'key');
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, 'half of a pict');
  }
  await node.ctx.blobSweep.run();
  expect(await blobFiles(dataDir)).toHaveLength(2);
  await sweepLater(node);
  expect(await blobFiles(dataDir)).toEqual([]);
});

it('tries again later when the store cannot be reached', async () => {
  const blob = await upload(node, rei, picture('a'));
  const { uri } = await node.createPost(rei, pictureRecord(blob));
  vi.spyOn(node.ctx.blobs, 'remove').mockRejectedValueOnce(new Error('unreachable'));
  expect((await node.deletePost(rei, uri)).status).toBe(200);
  expect(await blobFiles(dataDir)).toEqual([permanent(rei, blob)]);
  expect((await getBlob(node, rei, rei, blob.ref.$link)).status).toBe(404);
  await node.ctx.blobSweep.run();
  expect(await blobFiles(dataDir)).toEqual([]);
});

it('takes a blob that was uploaded again in place of one that is about to go', async () => {
  const blob = await upload(node, rei, picture('a'));
  const { uri } = await node.createPost(rei, pictureRecord(blob));
  vi.spyOn(node.ctx.blobs, 'remove').mockRejectedValue(new Error('unreachable'));
  await node.deletePost(rei, uri);
  vi.restoreAllMocks();
  await upload(node, rei, picture('a'));
  await node.ctx.blobSweep.run();
  await node.createPost(rei, pictureRecord(blob));
  expect(await blobFiles(dataDir)).toEqual([permanent(rei, blob)]);
  expect((await getBlob(node, kaoruko, rei, blob.ref.$link)).status).toBe(200);
});

it('refuses a record whose blob lost its bytes, until they are uploaded again', async () => {
  const blob = await upload(node, rei, picture('a'));
  await rm(join(dataDir, 'blobs', 'temp', rei.did), { recursive: true });
  expect(await refusalOf(await node.tryPost(rei, pictureRecord(blob)))).toEqual(REFUSAL);
  await upload(node, rei, picture('a'));
  await node.createPost(rei, pictureRecord(blob));
  await rm(join(dataDir, 'blobs', permanent(rei, blob)));
  await upload(node, rei, picture('a'));
  expect(await blobFiles(dataDir)).toEqual([permanent(rei, blob)]);
  expect((await getBlob(node, kaoruko, rei, blob.ref.$link)).status).toBe(200);
});

it('makes an upload permanent at once when a record waits for it', async () => {
  const blob = await upload(node, rei, picture('a'));
  const { uri } = await node.createPost(rei, pictureRecord(blob));
  const { cid } = descriptionOf(blob);
  await node.ctx.blobs.remove(rei.did, cid);
  await node.ctx.actors.write(rei.did, async ({ blobs }) => {
    await blobs.forget([cid]);
    await blobs.refer(new Map([[uri as AtUri, [cid]]]));
  });
  expect((await getBlob(node, rei, rei, cid)).status).toBe(404);
  await upload(node, rei, picture('a'));
  expect(await blobFiles(dataDir)).toEqual([permanent(rei, blob)]);
  expect((await getBlob(node, kaoruko, rei, cid)).status).toBe(200);
});

it('says nothing of blobs on the stream, and nothing to records without any', async () => {
  await node.createPost(rei, postRecord('no picture'));
  const blob = await upload(node, rei, picture('a'));
  const { uri } = await node.createPost(rei, pictureRecord(blob));
  await node.deletePost(rei, uri);
  const events = await node.ctx.actors.read(rei.did, (actor) => actor.eventsAfter(0, 100));
  for (const { proof, ...event } of events?.values() ?? []) {
    expect(JSON.stringify(event)).not.toContain(blob.ref.$link);
    expect(Buffer.from(proof).includes(blob.ref.$link)).toBe(false);
  }
});
