import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { cidForRawBytes } from '@atproto/lex-data';
import { com } from '@stratos/protocol/lexicons';
import { CheckGroup, SkippedError } from '../check.ts';
import { assertSame } from '../world/answer.ts';
import type { Caller } from '../world/caller.ts';
import { type Person, postRecord, written } from '../world/person.ts';
import type { World } from '../world/world.ts';

const { uploadBlob } = com.atproto.repo;
const { getBlob, listBlobs } = com.atproto.sync;

/** Blobs, and who may see them. */
export const blobs = new CheckGroup('blobs', ['people']);

/** A picture that nobody has uploaded before. */
function picture(): Uint8Array<ArrayBuffer> {
  const pixel =
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
  return new Uint8Array([...Buffer.from(pixel, 'base64'), ...randomBytes(32)]);
}

async function upload(person: Caller, bytes: Uint8Array<ArrayBuffer>, type = 'image/png') {
  const authorization = await person.authorization(uploadBlob.$nsid);
  const headers = { 'content-type': type };
  return person.node.call(uploadBlob, { authorization, headers, body: bytes });
}

interface Picture {
  cid: string;
  bytes: Uint8Array;
  rkey: string;
}

/** A picture in a post to these boundaries. */
async function postPicture(author: Person, boundaries: readonly string[]): Promise<Picture> {
  const bytes = picture();
  const { json } = await upload(author, bytes);
  const embed = {
    $type: 'app.bsky.embed.images',
    images: [{ image: json['blob'], alt: 'a pixel' }],
  };
  const record = { ...postRecord('A picture', boundaries), embed };
  const { rkey } = written(await author.create(record));
  return { cid: (json['blob'] as { ref: { $link: string } }).ref.$link, bytes, rkey };
}

function look({ people }: World, viewer: Caller, cid: string) {
  return viewer.query(getBlob, { did: people.author.did, cid });
}

blobs.add('are taken, and named by the hash of their bytes', async ({ people }) => {
  const bytes = picture();
  const answer = await upload(people.author, bytes);
  const { blob } = answer.json as { blob: Record<string, unknown> };
  answer.ok();
  assert.deepEqual(blob, {
    $type: 'blob',
    ref: { $link: (await cidForRawBytes(bytes)).toString() },
    mimeType: 'image/png',
    size: bytes.length,
  });
});

blobs.add('need somebody who says who they are', async ({ node }) => {
  const headers = { 'content-type': 'image/png' };
  (await node.call(uploadBlob, { headers, body: picture() })).refused(401, 'AuthRequired');
});

blobs.add('are not taken of types that the node does not keep', async ({ people }) => {
  const html = new TextEncoder().encode('<!doctype html><script>alert(1)</script>');
  const answer = await upload(people.author, html as Uint8Array<ArrayBuffer>, 'text/html');
  assert.ok(answer.status >= 400 && answer.status < 500, String(answer.status));
});

blobs.add('that pretend to be pictures are not served as such', async (world) => {
  const html = new TextEncoder().encode(`<!doctype html><script>alert(${Date.now()})</script>`);
  const answer = await upload(world.people.author, html as Uint8Array<ArrayBuffer>);
  if (answer.status !== 200) return;
  const { mimeType } = (answer.json as { blob: { mimeType: string } }).blob;
  assert.notEqual(mimeType, 'text/html');
});

blobs.add('are shown to author and member, byte for byte', async (world) => {
  const { author, member, shared } = world.people;
  const { cid, bytes } = await postPicture(author, [shared]);
  for (const viewer of [author, member]) {
    const answer = await look(world, viewer, cid);
    assert.deepEqual(Buffer.from(answer.okBytes('image/png')), Buffer.from(bytes));
  }
});

blobs.add('run nothing where they are shown (nosniff, sandbox)', async (world) => {
  const { author, shared } = world.people;
  const { cid } = await postPicture(author, [shared]);
  const { headers } = await look(world, author, cid);
  assert.equal(headers.get('x-content-type-options'), 'nosniff');
  assert.match(headers.get('content-security-policy') ?? '', /sandbox/);
  assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'/);
  assert.match(headers.get('cache-control') ?? '', /no-store|private/);
});

blobs.add('are hidden from outsiders, as ones that do not exist', async (world) => {
  const { author, outsider, shared } = world.people;
  const { cid } = await postPicture(author, [shared]);
  const hidden = await look(world, outsider, cid);
  assert.equal(hidden.status, 404);
  const absent = (await cidForRawBytes(picture())).toString();
  assertSame(hidden, await look(world, outsider, absent));
});

blobs.add('are hidden from strangers', async (world) => {
  const { author, shared } = world.people;
  const { cid } = await postPicture(author, [shared]);
  const answer = await world.node.call(getBlob, { params: { did: author.did, cid } });
  answer.refused(401, 'AuthRequired');
});

blobs.add('that no record refers to are their owner’s alone', async (world) => {
  const { author, member } = world.people;
  const { json } = await upload(author, picture());
  const cid = (json['blob'] as { ref: { $link: string } }).ref.$link;
  assert.equal((await look(world, member, cid)).status, 404);
});

blobs.add('go from sight with the record', async (world) => {
  const { author, member, shared } = world.people;
  const { cid, rkey } = await postPicture(author, [shared]);
  (await author.delete(rkey)).ok();
  assert.equal((await look(world, member, cid)).status, 404);
});

blobs.add('follow a record that moves to another boundary', ['operator'], async (world) => {
  const { author, member, shared } = world.people;
  const other = world.otherBoundary;
  await world.withBoundaries(author, [shared, other]);
  const { cid } = await postPicture(author, [other]);
  assert.equal((await look(world, member, cid)).status, 404);
});

blobs.add('of a record cannot be borrowed by somebody who may not see it', async (world) => {
  const { author, outsider, shared } = world.people;
  const own = outsider.boundaries[0];
  if (own === undefined) throw new SkippedError('the outsider is a member of nothing');
  const { cid } = await postPicture(author, [shared]);
  const ref = { $type: 'blob', ref: { $link: cid }, mimeType: 'image/png', size: 1 };
  const embed = { $type: 'app.bsky.embed.images', images: [{ image: ref, alt: '' }] };
  const answer = await outsider.create({ ...postRecord('Borrowed', [own]), embed });
  assert.equal(answer.status, 400);
});

blobs.add('can be read in part', async (world) => {
  const { author, shared } = world.people;
  const { cid, bytes } = await postPicture(author, [shared]);
  const authorization = await author.authorization(getBlob.$nsid);
  const params = { did: author.did, cid };
  const headers = { range: 'bytes=2-5' };
  const answer = await world.node.call(getBlob, { params, authorization, headers });
  assert.equal(answer.status, 206);
  assert.equal(answer.headers.get('content-range'), `bytes 2-5/${bytes.length}`);
  assert.deepEqual(Buffer.from(answer.bytes), Buffer.from(bytes.subarray(2, 6)));
});

blobs.add('are listed for their owner', async (world) => {
  const { author, shared } = world.people;
  const { cid } = await postPicture(author, [shared]);
  const answer = await author.query(listBlobs, { did: author.did, limit: 1000 });
  const { cids } = answer.ok<com.atproto.sync.listBlobs.$OutputBody>();
  assert.ok(cids.some((each) => each === cid));
});

blobs.add('are not listed for others', async (world) => {
  const { author, member } = world.people;
  (await member.query(listBlobs, { did: author.did })).refused(404, 'RepoNotFound');
});
