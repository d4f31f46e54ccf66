import { TID } from '@atproto/common-web';
import { encode } from '@atproto/lex-cbor';
import { type Cid as CidLink, decodeCid, type LexMap, parseCid } from '@atproto/lex-data';
import {
  BlockMap,
  blocksToCarFile,
  MemoryBlockstore,
  type RecordCreateOp,
  Repo,
  WriteOpAction,
} from '@atproto/repo';
import { describe, expect, it } from 'vitest';
import { zone } from '../../generated/index.ts';
import { toDid } from '../identifiers.ts';
import { SigningKey } from '../signing-key.ts';
import { CarReader } from './car-reader.ts';
import { readRecord } from './read-record.ts';
import { blockCid, sourceOf } from './testing/blocks.ts';
import { openRepo, repoRecords } from './verify-repo.ts';

const did = toDid('did:plc:z72i7hdynmk6r22z27h6tvur');
const service = toDid('did:web:localhost%3A3100');
const collection = zone.stratos.feed.post.$nsid;
/** The CID of what is no block of a repo. */
const BLOB = 'bafkreifzjut3te7nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e';
const key = SigningKey.generate('P-256');
const options = { did, signingKeys: [SigningKey.generate('P-256').did(), key.did()] };

const record = (text: string): LexMap => ({
  $type: collection,
  text,
  boundary: { values: [{ value: 'art' }] },
  createdAt: '2026-01-01T00:00:00Z',
});

async function repoOf(count: number, { author = did as string, rev = TID.nextStr() } = {}) {
  const writes = Array.from({ length: count }, (_, i): RecordCreateOp => {
    const rkey = `3k${String(i).padStart(5, '0')}`;
    return { action: WriteOpAction.Create, collection, rkey, record: record(`text ${i}`) };
  });
  const storage = new MemoryBlockstore();
  const commit = await Repo.formatInitCommit(storage, author, key, writes, rev);
  return { root: commit.cid, blocks: commit.newBlocks };
}

/** A repo whose commit says something else, signed all the same. */
async function forged(change: LexMap): Promise<{ root: CidLink; blocks: BlockMap }> {
  const { root, blocks } = await repoOf(1);
  const commit = await new MemoryBlockstore(blocks).readRecord(root);
  const { sig: _, ...unsigned } = { ...commit, ...change };
  const bytes = encode({ ...unsigned, sig: await key.sign(encode(unsigned)) });
  blocks.set(blockCid(bytes), bytes);
  return { root: blockCid(bytes), blocks };
}

async function textsOf({ root, blocks }: { root: CidLink; blocks: BlockMap }): Promise<unknown[]> {
  const repo = await openRepo(sourceOf(blocks), root, options);
  const records = await Array.fromAsync(repoRecords(sourceOf(blocks), repo));
  return records.map(({ bytes }) => readRecord(bytes, service).record?.value['text']);
}

it('reads a whole repo, in the order of its keys', async () => {
  const { root, blocks } = await repoOf(300);
  const repo = await openRepo(sourceOf(blocks), root, options);
  expect(repo).toMatchObject({ did, commit: root.toString(), signingKey: key.did() });
  const records = await Array.fromAsync(repoRecords(sourceOf(blocks), repo));
  expect(records).toHaveLength(300);
  const [first] = records;
  expect(first).toMatchObject({
    uri: `at://${did}/${collection}/3k00000`,
    collection,
    rkey: '3k00000',
  });
  expect(first?.cid).toBe(blockCid(encode(record('text 0'))).toString());
  expect(await textsOf({ root, blocks })).toEqual(records.map((_, i) => `text ${i}`));
  expect(await textsOf(await repoOf(0))).toEqual([]);
});

describe('refuses a repo', () => {
  const tomorrow = TID.fromTime((Date.now() + 86_400_000) * 1000, 0).toString();
  it.each<[string, () => ReturnType<typeof repoOf>, string]>([
    ['of somebody else', () => repoOf(1, { author: 'did:plc:other' }), 'wrong-actor'],
    ['of the future', () => repoOf(1, { rev: tomorrow }), 'in-the-future'],
    ['of an old version', () => forged({ version: 2 }), 'malformed'],
    ['with more in its commit', () => forged({ more: 1 }), 'malformed'],
    ['without a revision', () => forged({ rev: 'none' }), 'malformed'],
    ['without a tree', () => forged({ data: null }), 'malformed'],
    ['with another tree', () => forged({ data: blockCid(encode({})) }), 'not-included'],
    ['with something before it', () => forged({ prev: 'none' }), 'malformed'],
    ['with a tree of blobs', () => forged({ data: parseCid(BLOB) }), 'malformed'],
  ])('%s', async (_, make, reason) => {
    await expect(textsOf(await make())).rejects.toMatchObject({ name: 'ProofError', reason });
  });

  it('that others signed', async () => {
    const { root, blocks } = await repoOf(1);
    for (const signingKeys of [[], options.signingKeys.slice(0, 1)]) {
      await expect(openRepo(sourceOf(blocks), root, { did, signingKeys })).rejects.toMatchObject({
        reason: 'bad-signature',
      });
    }
  });

  it('of which any block is missing or another', async () => {
    const { root, blocks } = await repoOf(20);
    for (const { cid, bytes } of blocks.entries()) {
      const rest = new BlockMap(blocks).delete(cid);
      await expect(textsOf({ root, blocks: rest })).rejects.toMatchObject({
        reason: 'not-included',
      });
      const flipped = Buffer.from(bytes);
      flipped[9] = (flipped[9] ?? 0) ^ 1;
      rest.set(cid, flipped);
      await expect(textsOf({ root, blocks: rest })).rejects.toMatchObject({ reason: 'wrong-cid' });
    }
  });

  it('of which a record is named as a blob is', async () => {
    const bytes = encode(record('x'));
    const raw = Buffer.from(blockCid(bytes).bytes);
    raw[1] = 0x55;
    const k = Buffer.from(`${collection}/3kaaa`);
    const node = encode({ l: null, e: [{ p: 0, k, v: decodeCid(raw), t: null }] });
    const { root, blocks } = await forged({ data: blockCid(node) });
    blocks.set(decodeCid(raw), bytes);
    blocks.set(blockCid(node), node);
    await expect(textsOf({ root, blocks })).rejects.toMatchObject({ reason: 'wrong-cid' });
  });

  it('with a key that is no address of a record', async () => {
    const bytes = encode(record('x'));
    const value = blockCid(bytes);
    const node = encode({ l: null, e: [{ p: 0, k: Buffer.from('nsid/..'), v: value, t: null }] });
    const { root, blocks } = await forged({ data: blockCid(node) });
    blocks.set(value, bytes);
    blocks.set(blockCid(node), node);
    await expect(textsOf({ root, blocks })).rejects.toMatchObject({ reason: 'malformed' });
  });
});

it('tells what is wrong with single records, and goes on', () => {
  const flawOf = (value: LexMap) => readRecord(encode(value), service).flaw;
  expect(flawOf(record('good'))).toBeUndefined();
  expect(flawOf({ ...record('x'), boundary: { values: [{ value: 'Not One' }] } })).toBe(
    'wrong-boundary',
  );
  expect(readRecord(encode([1]), service).flaw).toBe('malformed');
  expect(readRecord(Uint8Array.from([0xa1, 0x61, 0x61, 0x18, 0x01]), service).flaw).toBe(
    'malformed',
  );
});

describe('a CAR', () => {
  const inPieces = async function* (car: Uint8Array, size: number) {
    for (let at = 0; at < car.length; at += size) yield car.subarray(at, at + size);
  };
  const read = async (car: Uint8Array, size = car.length) => {
    const { reader, root } = await CarReader.open(inPieces(car, size));
    const blocks = new BlockMap();
    for await (const page of reader.blocks()) {
      for (const { cid, bytes } of page) blocks.set(decodeCid(cid), Buffer.from(bytes));
    }
    return { root, blocks };
  };

  it.each([1, 7, 1_000, 1_000_000])('is read in pieces of %d bytes', async (size) => {
    const { root, blocks } = await repoOf(20);
    const car = await read(await blocksToCarFile(root, blocks), size);
    expect(await textsOf(car)).toHaveLength(20);
  });

  it('is refused when it is none', async () => {
    const { root, blocks } = await repoOf(5);
    const car = await blocksToCarFile(root, blocks);
    const header = (value: LexMap) => {
      const bytes = encode(value);
      return Uint8Array.from([bytes.length, ...bytes]);
    };
    const large = Uint8Array.from([0xff, 0xff, 0xff, 0x7f]);
    const wrong: Record<string, Uint8Array> = {
      nothing: new Uint8Array(),
      'cut off': car.subarray(0, -1),
      'no header': Uint8Array.from([1, 2, 3]),
      'another version': header({ version: 2, roots: [root] }),
      'no root': header({ version: 1, roots: [] }),
      'two roots': header({ version: 1, roots: [root, root] }),
      'a large header': large,
      'a large block': Buffer.concat([header({ version: 1, roots: [root] }), large]),
      'a blob': Buffer.concat([
        header({ version: 1, roots: [root] }),
        Uint8Array.of(39),
        parseCid(BLOB).bytes,
        Buffer.from('abc'),
      ]),
    };
    for (const [what, bytes] of Object.entries(wrong)) {
      await expect(read(bytes), what).rejects.toMatchObject({ reason: 'malformed' });
    }
  });
});
