import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { cidForRawBytes } from '@atproto/lex-data';
import { type Cid, toCid, toDid } from '@stratos/protocol';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { S3Server } from '../testing/s3-server.ts';
import type { BlobStore, ByteRange } from './blob-store.ts';
import { DiskBlobStore } from './disk-blob-store.ts';
import { S3BlobStore } from './s3-blob-store.ts';

const REI = toDid('did:plc:reiaaaaaaaaaaaaaaaaaaaaa');
const KAORUKO = toDid('did:web:localhost%3A3100');
const SMALL = Buffer.from('a sword, drawn');
/** More than what an upload to S3 sends at once. */
const LARGE = Buffer.alloc(11 * 1024 * 1024, 'forged and folded ');

async function* chunks(bytes: Uint8Array, size = 100_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function* failingAfter(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield* chunks(bytes);
  throw new Error('the client went away');
}

async function cidOf(bytes: Uint8Array): Promise<Cid> {
  return toCid((await cidForRawBytes(bytes)).toString());
}

let dir: string;
let s3: S3Server;
beforeAll(async () => {
  s3 = await S3Server.start();
});
afterAll(() => s3[Symbol.asyncDispose]());
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'stratos-'));
});
afterEach(() => rm(dir, { recursive: true }));

describe.each<[string, () => BlobStore]>([
  ['on disk', () => new DiskBlobStore(dir)],
  ['in S3', () => new S3BlobStore(s3.storage)],
])('blobs %s', (_name, openStore) => {
  let store: BlobStore;
  beforeEach(() => {
    store = openStore();
  });
  afterEach(async () => {
    for (const did of [REI, KAORUKO]) await store.removeAll(did);
    await store[Symbol.asyncDispose]();
  });

  async function read(cid: Cid, range?: ByteRange): Promise<Buffer | undefined> {
    const bytes = await store.open(REI, cid, range);
    return bytes && buffer(bytes);
  }

  async function temporaryKeys(): Promise<string[]> {
    const found = await Array.fromAsync(store.temporary());
    return found.map(({ did, key }) => `${did}/${key}`).sort();
  }

  async function keepNew(bytes: Uint8Array): Promise<Cid> {
    const cid = await cidOf(bytes);
    await store.putTemporary(REI, 'key', chunks(bytes));
    expect(await store.keep(REI, cid, 'key')).toBe(true);
    await store.removeTemporary(REI, 'key');
    return cid;
  }

  it.each([
    ['small', SMALL],
    ['large', LARGE],
  ])('gives back a %s blob as it was uploaded', async (_size, bytes) => {
    const cid = await keepNew(bytes);
    expect(Buffer.compare((await read(cid)) ?? Buffer.alloc(0), bytes)).toBe(0);
    expect(await store.has(REI, cid)).toBe(true);
    expect(await temporaryKeys()).toEqual([]);
  });

  it('has nothing of what was never uploaded', async () => {
    const cid = await cidOf(SMALL);
    expect(await read(cid)).toBeUndefined();
    expect(await store.has(REI, cid)).toBe(false);
    expect(await store.keep(REI, cid, 'no such key')).toBe(false);
    expect(await store.keep(REI, cid, undefined)).toBe(false);
  });

  it('keeps each person’s blobs apart', async () => {
    const cid = await keepNew(SMALL);
    expect(await store.has(KAORUKO, cid)).toBe(false);
    await store.putTemporary(KAORUKO, 'key', chunks(SMALL));
    expect(await store.keep(KAORUKO, cid, 'key')).toBe(true);
    await store.removeAll(KAORUKO);
    expect(await store.has(REI, cid)).toBe(true);
  });

  it('does not give out what is temporary', async () => {
    await store.putTemporary(REI, 'key', chunks(SMALL));
    expect(await read(await cidOf(SMALL))).toBeUndefined();
  });

  it('lists what is temporary, and when it came', async () => {
    await store.putTemporary(REI, 'one', chunks(SMALL));
    await store.putTemporary(KAORUKO, 'two', chunks(SMALL));
    expect(await temporaryKeys()).toEqual([`${REI}/one`, `${KAORUKO}/two`].sort());
    for await (const { writtenAt } of store.temporary()) {
      expect(Math.abs(writtenAt.getTime() - Date.now())).toBeLessThan(60_000);
    }
    await store.removeTemporary(REI, 'one');
    await store.removeTemporary(REI, 'one');
    expect(await temporaryKeys()).toEqual([`${KAORUKO}/two`]);
  });

  it.each([
    ['at once', SMALL.subarray(0, 0)],
    ['early', SMALL],
    ['late', LARGE],
  ])('leaves nothing of an upload that fails %s', async (_when, bytes) => {
    await expect(store.putTemporary(REI, 'key', failingAfter(bytes))).rejects.toThrow(
      'the client went away',
    );
    expect(await temporaryKeys()).toEqual([]);
    expect(await store.keep(REI, await cidOf(bytes), 'key')).toBe(false);
  });

  it('makes the same blob permanent as often as it is asked to', async () => {
    const cid = await keepNew(SMALL);
    await store.putTemporary(REI, 'again', chunks(SMALL));
    expect(await store.keep(REI, cid, 'again')).toBe(true);
    expect(await store.keep(REI, cid, 'again')).toBe(true);
    expect(await store.keep(REI, cid, undefined)).toBe(true);
    expect(await temporaryKeys()).toEqual([`${REI}/again`]);
    expect(await read(cid)).toEqual(SMALL);
  });

  it('gives back a part', async () => {
    const cid = await keepNew(SMALL);
    expect(String(await read(cid, { first: 2, last: 6 }))).toBe('sword');
    expect(String(await read(cid, { first: 0, last: 1 }))).toBe('a ');
    expect(String(await read(cid, { first: 9, last: SMALL.length - 1 }))).toBe('drawn');
  });

  it('puts a blob into quarantine and back', async () => {
    const cid = await keepNew(SMALL);
    for (const _time of ['first', 'second']) {
      await store.quarantine(REI, cid);
      expect(await store.has(REI, cid)).toBe(false);
      expect(await read(cid)).toBeUndefined();
    }
    for (const _time of ['first', 'second']) {
      await store.release(REI, cid);
      expect(await read(cid)).toEqual(SMALL);
    }
  });

  it('removes a blob wherever it is', async () => {
    const cid = await keepNew(SMALL);
    await store.remove(REI, cid);
    expect(await store.has(REI, cid)).toBe(false);
    await keepNew(SMALL);
    await store.quarantine(REI, cid);
    await store.remove(REI, cid);
    await store.release(REI, cid);
    expect(await store.has(REI, cid)).toBe(false);
    await store.remove(REI, cid);
  });

  it('leaves nothing of somebody', async () => {
    const cid = await keepNew(SMALL);
    const other = await keepNew(LARGE);
    await store.quarantine(REI, other);
    await store.putTemporary(REI, 'key', chunks(SMALL));
    await store.removeAll(REI);
    await store.release(REI, other);
    expect(await store.has(REI, cid)).toBe(false);
    expect(await store.has(REI, other)).toBe(false);
    expect(await temporaryKeys()).toEqual([]);
    await store.removeAll(REI);
  });

  it('lets a reader go away in the middle', async () => {
    const cid = await keepNew(LARGE);
    const bytes = await store.open(REI, cid);
    for await (const chunk of bytes ?? []) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    await vi.waitFor(() => expect(bytes?.destroyed).toBe(true));
    expect(await store.has(REI, cid)).toBe(true);
  });
});
