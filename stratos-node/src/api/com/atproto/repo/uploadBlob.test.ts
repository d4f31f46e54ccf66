import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { cidForRawBytes } from '@atproto/lex-data';
import { com } from '@stratos/protocol/lexicons';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { blobFiles, picture, tryUpload, upload } from '../../../../testing/test-blobs.ts';
import { SWORDSMITH, TestNode, TestPerson } from '../../../../testing/test-node.ts';

const rei = TestPerson.named('rei');
const stranger = TestPerson.named('stranger');
const MAX_BYTES = 1_000_000;

let node: TestNode;
async function start(env: Record<string, string> = {}): Promise<void> {
  const limit = { STRATOS_BLOB_MAX_BYTES: String(MAX_BYTES) };
  node = await TestNode.start({ people: [rei, stranger], env: { ...limit, ...env } });
  await node.enroll(rei, [SWORDSMITH]);
}
beforeEach(() => start());
afterEach(stop);
async function stop(): Promise<void> {
  await node[Symbol.asyncDispose]();
}

async function answerOf(response: Response) {
  return { status: response.status, ...((await response.json()) as { error?: string }) };
}

/** Bytes without an end. */
function endless(first: Uint8Array): ReadableStream {
  let next = first;
  return new ReadableStream({
    pull(controller) {
      controller.enqueue(next);
      next = Buffer.alloc(10_000, 'x');
    },
  });
}

it('takes a blob and answers what it is', async () => {
  const bytes = picture('a', 5_000);
  const { $type, ref, mimeType, size } = await upload(node, rei, bytes);
  const cid = (await cidForRawBytes(bytes)).toString();
  expect({ $type, ref, mimeType, size }).toEqual({
    $type: 'blob',
    ref: { $link: cid },
    mimeType: 'image/png',
    size: 5_000,
  });
  const [file, ...others] = await blobFiles(node.dataDir);
  expect(file).toMatch(new RegExp(`^temp/${rei.did}/[^/]+$`));
  expect(others).toEqual([]);
});

it('lets nobody else read what it keeps', async () => {
  await upload(node, rei, picture('a'));
  const [file = ''] = await blobFiles(node.dataDir);
  const path = join(node.dataDir, 'blobs', file);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  for (const folder of [path.split('/').slice(0, -1), path.split('/').slice(0, -2)]) {
    expect((await stat(folder.join('/'))).mode & 0o777).toBe(0o700);
  }
});

it('gives the same answer for the same bytes and keeps them once', async () => {
  const first = await upload(node, rei, picture('a'));
  const second = await upload(node, rei, picture('a'));
  expect(second).toEqual(first);
  expect(await blobFiles(node.dataDir)).toHaveLength(1);
  const [one, two] = await Promise.all([
    upload(node, rei, picture('b')),
    upload(node, rei, picture('b')),
  ]);
  expect(one).toEqual(two);
  expect(await blobFiles(node.dataDir)).toHaveLength(2);
});

it('corrects a type that contradicts the bytes', async () => {
  const types = { 'content-type': 'video/mp4' };
  const response = await tryUpload(node, rei, picture('a'), types);
  expect(await response.json()).toMatchObject({ blob: { mimeType: 'image/png' } });
});

it('takes nobody who did not prove who they are, or is not enrolled', async () => {
  const wrong = { authorization: await rei.authorization(com.atproto.repo.putRecord.$nsid) };
  expect(await answerOf(await tryUpload(node, rei, picture('a'), wrong))).toMatchObject({
    status: 401,
  });
  expect(await answerOf(await tryUpload(node, stranger, picture('a')))).toMatchObject({
    status: 403,
    error: 'NotEnrolled',
  });
  expect(await blobFiles(node.dataDir)).toEqual([]);
});

it('refuses an empty blob', async () => {
  for (const body of [Buffer.alloc(0), new ReadableStream({ start: (to) => to.close() })]) {
    expect(await answerOf(await tryUpload(node, rei, body))).toMatchObject({
      status: 400,
      error: 'InvalidRequest',
    });
  }
  expect(await blobFiles(node.dataDir)).toEqual([]);
});

it.each([
  ['a page', '<!doctype html><script>alert(1)</script>', 'text/html'],
  ['a page that says it is a picture', '<!doctype html><p>', 'image/png'],
  ['an SVG', '<svg xmlns="http://www.w3.org/2000/svg"/>', 'image/svg+xml'],
  ['what is not known', '\u0000\u0001\u0002', 'image/png'],
])('refuses %s', async (_what, body, type) => {
  const answer = await answerOf(await tryUpload(node, rei, body, { 'content-type': type }));
  expect(answer).toMatchObject({ status: 400, error: 'InvalidMimeType' });
  expect(await blobFiles(node.dataDir)).toEqual([]);
});

it('never keeps a page as one, whatever types are taken', async () => {
  await stop();
  await start({ STRATOS_BLOB_TYPES: '*/*' });
  const response = await tryUpload(node, rei, '<script>alert(1)</script>', {
    'content-type': 'text/html',
  });
  expect(await response.json()).toMatchObject({ blob: { mimeType: 'application/octet-stream' } });
});

it('refuses what is too large before it is read', async () => {
  const response = await tryUpload(node, rei, picture('a', MAX_BYTES + 1));
  expect(await answerOf(response)).toMatchObject({ status: 413, error: 'PayloadTooLarge' });
  expect((await tryUpload(node, rei, picture('a', MAX_BYTES))).status).toBe(200);
});

it('stops reading when there is too much, and leaves nothing', async () => {
  const response = await tryUpload(node, rei, endless(picture('a')));
  expect(await answerOf(response)).toMatchObject({ status: 413, error: 'PayloadTooLarge' });
  expect(response.headers.get('connection')).toBe('close');
  expect(await blobFiles(node.dataDir)).toEqual([]);
});

it('stops reading when the type is not taken', async () => {
  const response = await tryUpload(node, rei, endless(Buffer.alloc(5_000)));
  expect(await answerOf(response)).toMatchObject({ status: 400, error: 'InvalidMimeType' });
  expect(await blobFiles(node.dataDir)).toEqual([]);
});

it('unpacks what is compressed, within the same limit', async () => {
  const gzip = { 'content-encoding': 'gzip' };
  const response = await tryUpload(node, rei, gzipSync(picture('a', 50_000)), gzip);
  const cid = (await cidForRawBytes(picture('a', 50_000))).toString();
  expect(await response.json()).toMatchObject({ blob: { ref: { $link: cid }, size: 50_000 } });
  const bomb = gzipSync(picture('b', 20 * MAX_BYTES));
  expect(bomb.length).toBeLessThan(MAX_BYTES);
  const refused = await tryUpload(node, rei, bomb, gzip);
  expect(await answerOf(refused)).toMatchObject({ status: 413, error: 'PayloadTooLarge' });
  const broken = await tryUpload(node, rei, picture('c'), gzip);
  expect(await answerOf(broken)).toMatchObject({ status: 400, error: 'InvalidRequest' });
  expect(await blobFiles(node.dataDir)).toHaveLength(1);
});

it('counts against the write rate', async () => {
  await stop();
  await start({ STRATOS_WRITE_RATE_MAX_WRITES: '2' });
  await upload(node, rei, picture('a'));
  await upload(node, rei, picture('b'));
  const response = await tryUpload(node, rei, picture('c'));
  expect(response.headers.get('retry-after')).toMatch(/^\d+$/);
  expect(await answerOf(response)).toMatchObject({ status: 429, error: 'RateLimitExceeded' });
  expect(await blobFiles(node.dataDir)).toHaveLength(2);
});

it('lets nobody fill the disk with what no record refers to', async () => {
  await stop();
  await start({ STRATOS_BLOB_MAX_BYTES: '1000' });
  for (let i = 0; i < 20; i += 1) await upload(node, rei, picture(`number ${i}`, 1_000));
  const refused = await tryUpload(node, rei, picture('one too many'));
  expect(await answerOf(refused)).toMatchObject({ status: 429, error: 'RateLimitExceeded' });
  expect(await blobFiles(node.dataDir)).toHaveLength(20);
});

it('leaves nothing of a client that goes away', async () => {
  const { $nsid } = com.atproto.repo.uploadBlob;
  const socket = connect(Number(new URL(node.url).port), '127.0.0.1');
  await once(socket, 'connect');
  socket.write(
    `POST /xrpc/${$nsid} HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n` +
      `Content-Length: 50000\r\nAuthorization: ${await rei.authorization($nsid)}\r\n\r\n`,
  );
  socket.write(picture('a', 20_000));
  await vi.waitFor(async () => expect(await blobFiles(node.dataDir)).toHaveLength(1));
  socket.destroy();
  await vi.waitFor(async () => expect(await blobFiles(node.dataDir)).toEqual([]));
});
