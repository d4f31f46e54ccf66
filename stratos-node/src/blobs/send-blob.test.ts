import { request } from 'node:http';
import { com } from '@stratos/protocol/lexicons';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { S3Server } from '../testing/s3-server.ts';
import {
  FILE,
  fileRecord,
  getBlob,
  picture,
  pictureRecord,
  upload,
} from '../testing/test-blobs.ts';
import { SWORDSMITH, TestNode, TestPerson } from '../testing/test-node.ts';

const rei = TestPerson.named('rei');
const kaoruko = TestPerson.named('kaoruko');
const BYTES = picture('a', 3_000);

let node: TestNode;
async function start(env: Record<string, string> = {}): Promise<void> {
  node = await TestNode.start({ people: [rei, kaoruko], env });
  for (const person of [rei, kaoruko]) await node.enroll(person, [SWORDSMITH]);
}
afterEach(() => node[Symbol.asyncDispose]());

/** Headers as they come over the wire, but for what becomes of the connection. */
function headersOf({ headers }: Response) {
  return [...headers].filter(([name]) => !/^(date|connection|keep-alive)$/.test(name));
}

describe.each<'local' | 's3'>(['local', 's3'])('parts, from %s', (place) => {
  let s3: S3Server;
  let cid: string;
  beforeEach(async () => {
    s3 = await S3Server.start();
    await start(place === 's3' ? s3.env : {});
    const blob = await upload(node, rei, BYTES);
    await node.createPost(rei, pictureRecord(blob));
    cid = blob.ref.$link;
  });
  afterEach(() => s3[Symbol.asyncDispose]());

  it('gives any part that is asked for', async () => {
    const position = fc.integer({ min: 0, max: 3_500 });
    await fc.assert(
      fc.asyncProperty(position, fc.integer({ min: 1, max: 3_500 }), async (first, length) => {
        const range = `bytes=${first}-${first + length}`;
        const response = await getBlob(node, kaoruko, rei, cid, { range });
        const part = Buffer.from(await response.arrayBuffer());
        if (first >= BYTES.length) {
          expect(response.status).toBe(416);
          expect(response.headers.get('content-range')).toBe('bytes */3000');
          return;
        }
        const wanted = BYTES.subarray(first, first + length + 1);
        const last = first + wanted.length - 1;
        expect(response.status).toBe(206);
        expect(response.headers.get('content-range')).toBe(`bytes ${first}-${last}/3000`);
        expect(response.headers.get('content-length')).toBe(String(wanted.length));
        expect(Buffer.compare(part, wanted)).toBe(0);
      }),
      {
        numRuns: 25,
        examples: [
          [0, 1],
          [2_999, 1],
          [2_999, 3_000],
          [3_000, 1],
        ],
      },
    );
  });

  it('gives all when a part cannot be told, or may be of something else', async () => {
    const asked: Record<string, string>[] = [
      { range: 'bytes=0-1,5-6' },
      { range: 'lines=1-2' },
      { range: 'bytes=0-1', 'if-range': '"something"' },
    ];
    for (const headers of asked) {
      const response = await getBlob(node, kaoruko, rei, cid, headers);
      expect(response.status).toBe(200);
      expect((await response.arrayBuffer()).byteLength).toBe(3_000);
    }
  });

  it('answers HEAD like GET, without the bytes', async () => {
    const ranges: Record<string, string>[] = [{}, { range: 'bytes=10-19' }];
    for (const range of ranges) {
      const get = await getBlob(node, kaoruko, rei, cid, { ...range });
      const head = await getBlob(node, kaoruko, rei, cid, { ...range, method: 'HEAD' });
      expect(head.status).toBe(get.status);
      expect(await head.text()).toBe('');
      expect(headersOf(head)).toEqual(headersOf(get));
      await get.arrayBuffer();
    }
  });
});

it('lets go of the file when the reader goes away', async () => {
  await start();
  const blob = await upload(node, rei, picture('b', 20_000_000));
  await node.createPost(rei, fileRecord(blob), { collection: FILE });
  const open = vi.spyOn(node.ctx.blobs, 'open');
  const { $nsid } = com.atproto.sync.getBlob;
  const query = new URLSearchParams({ did: rei.did, cid: blob.ref.$link });
  const reader = request(`${node.url}/xrpc/${$nsid}?${query}`, {
    headers: { authorization: await kaoruko.authorization($nsid) },
  });
  reader
    .on('error', () => undefined)
    .on('response', () => reader.destroy())
    .end();
  await vi.waitFor(async () => {
    const file = await open.mock.results[0]?.value;
    expect(file?.closed).toBe(true);
    expect(file.bytesRead).toBeLessThan(20_000_000);
  });
});
