import assert from 'node:assert/strict';
import { com, zone } from '@stratos/protocol/lexicons';
import { CheckGroup } from '../check.ts';
import type { Caller } from '../world/caller.ts';
import type { Params } from '../world/node.ts';
import { postRecord, written } from '../world/person.ts';
import type { Stream } from '../world/stream.ts';
import type { World } from '../world/world.ts';

const { subscribeRecords } = zone.stratos.sync;
const { applyWrites } = com.atproto.repo;
const collection = zone.stratos.feed.post.$nsid;
type Commit = zone.stratos.sync.subscribeRecords.Commit;
type Enrollment = zone.stratos.sync.subscribeRecords.Enrollment;

/** zone.stratos.sync.subscribeRecords. */
export const recordStream = new CheckGroup('subscribe-records', ['people']);

async function follow(world: World, who: Caller, params: Params): Promise<Stream> {
  const authorization = await who.authorization(subscribeRecords.$nsid);
  return world.open(subscribeRecords, params, authorization);
}

/** The owner's stream of their own repo, and a record that it has brought. */
async function ownStream(world: World, params: Params = {}) {
  const { author, shared } = world.people;
  const record = await author.post([shared]);
  const stream = await follow(world, author, { did: author.did, ...params });
  await stream.until('the record', () =>
    commits(stream).some(({ rev }) => rev === record.commit.rev),
  );
  return { stream, record };
}

const commits = (stream: Stream) => stream.of<Commit>('#commit');

recordStream.add('brings a person the commits of their own repo', async (world) => {
  const { stream, record } = await ownStream(world);
  const found = commits(stream).find(({ rev }) => rev === record.commit.rev);
  assert.equal(found?.did, world.people.author.did);
  assert.equal(found?.ops[0]?.cid, record.cid);
});

recordStream.add('keeps to its lexicon in every message', async (world) => {
  const { stream } = await ownStream(world);
  const schemas = { '#commit': subscribeRecords.commit, '#info': subscribeRecords.info };
  for (const { header, body } of stream.frames) {
    const schema = schemas[String(header['t']) as keyof typeof schemas];
    const result = schema.safeParse(body);
    assert.ok(result.success, result.success ? '' : result.reason.message);
  }
});

recordStream.add('has headers of exactly the bytes that clients know', async (world) => {
  const { stream } = await ownStream(world);
  const header = stream.frames.find((frame) => frame.header['t'] === '#commit')?.headerBytes;
  assert.equal(Buffer.from(header ?? []).toString('hex'), 'a261746723636f6d6d6974626f7001');
});

recordStream.add('has paths without a leading slash, and CIDs as strings', async (world) => {
  const { stream, record } = await ownStream(world);
  const found = commits(stream).find(({ rev }) => rev === record.commit.rev);
  assert.equal(found?.ops[0]?.path, `${collection}/${record.rkey}`);
  assert.equal(typeof found?.ops[0]?.cid, 'string');
});

recordStream.add('has the record, with its boundaries', async (world) => {
  const { stream, record } = await ownStream(world);
  const [op] = commits(stream).find(({ rev }) => rev === record.commit.rev)?.ops ?? [];
  assert.equal((op?.record as { text?: string })?.text, 'A post of the conformance suite');
  assert.deepEqual(op?.boundaries, [world.people.shared]);
});

recordStream.add('has a batch as messages of one revision', async (world) => {
  const { author, shared } = world.people;
  const { stream } = await ownStream(world);
  const write = (text: string) => ({
    $type: applyWrites.create.$type,
    collection,
    value: postRecord(text, [shared]),
  });
  const { commit } = (await author.apply([write('a'), write('b')])).ok<{
    commit: { rev: string };
  }>();
  const ofBatch = () => commits(stream).filter(({ rev }) => rev === commit.rev);
  await stream.until('the batch', () => ofBatch().flatMap(({ ops }) => ops).length === 2);
});

recordStream.add('has a deletion, with the boundaries that the record had', async (world) => {
  const { author, shared } = world.people;
  const { stream, record } = await ownStream(world);
  (await author.delete(record.rkey)).ok();
  const ofDelete = () =>
    commits(stream).flatMap(({ ops }) =>
      ops.filter((op) => op.action === 'delete' && op.path.endsWith(record.rkey)),
    );
  await stream.until('the deletion', () => ofDelete().length > 0);
  assert.deepEqual(ofDelete()[0]?.prevBoundaries, [shared]);
});

recordStream.add('has positions that increase, and goes on after a cursor', async (world) => {
  const { author } = world.people;
  const { stream, record } = await ownStream(world);
  const found = commits(stream).find(({ rev }) => rev === record.commit.rev);
  const seqs = commits(stream).map(({ seq }) => seq);
  assert.deepEqual(
    seqs,
    [...new Set(seqs)].sort((a, b) => a - b),
  );
  const again = await follow(world, author, { did: author.did, cursor: Number(found?.seq) - 1 });
  await again.until('the record', () => commits(again).length > 0);
  assert.equal(commits(again)[0]?.rev, record.commit.rev);
});

recordStream.add('from cursor 0 says that something is lost only if it is', async (world) => {
  const { stream } = await ownStream(world, { cursor: 0 });
  const isLost = stream.of('#info').length > 0;
  const [first] = commits(stream);
  assert.equal(isLost, Number(first?.seq) > 1 && isLost);
});

recordStream.add('refuses a cursor beyond the newest event', async (world) => {
  const { author } = world.people;
  const stream = await follow(world, author, { did: author.did, cursor: 2_000_000_000 });
  assert.equal(await stream.end(), 'FutureCursor');
});

recordStream.add(
  'by domain, still has deletions and what moved away',
  ['operator', 'appView'],
  async (world) => {
    const { author, shared } = world.people;
    const other = world.otherBoundary;
    await world.withBoundaries(author, [shared, other]);
    const moved = await author.post([shared], 'To be moved');
    const deleted = await author.post([shared], 'To be deleted');
    const unseen = await author.post([other], 'Not of this domain');
    const stream = await follow(world, world.appView, { did: author.did, domain: shared });
    written(await author.put(moved.rkey, postRecord('Moved', [other])));
    (await author.delete(deleted.rkey)).ok();
    const ops = () => commits(stream).flatMap((commit) => commit.ops);
    const ofKey = (rkey: string, action: string) =>
      ops().filter((op) => op.path.endsWith(rkey) && op.action === action);
    await stream.until('the deletion', () => ofKey(deleted.rkey, 'delete').length > 0);
    assert.equal(ofKey(moved.rkey, 'update').length, 1);
    assert.deepEqual(ofKey(unseen.rkey, 'create'), []);
  },
);

recordStream.add(
  'brings the content of a record to no domain that it left',
  ['operator', 'appView'],
  async (world) => {
    const { author, shared } = world.people;
    const other = world.otherBoundary;
    await world.withBoundaries(author, [shared, other]);
    const { rkey } = await author.post([shared], 'Before');
    const stream = await follow(world, world.appView, { did: author.did, domain: shared });
    written(await author.put(rkey, postRecord('Only for the others', [other])));
    const moved = () =>
      commits(stream).flatMap(({ ops }) =>
        ops.filter((op) => op.path.endsWith(rkey) && op.action === 'update'),
      );
    await stream.until('the move', () => moved().length > 0);
    assert.doesNotMatch(JSON.stringify(moved()), /Only for the others/);
  },
);

recordStream.add('brings no content of deleted records to those who come late', async (world) => {
  const { author, shared } = world.people;
  const text = `To be forgotten ${Date.now()}`;
  const { rkey } = await author.post([shared], text);
  (await author.delete(rkey)).ok();
  const { stream } = await ownStream(world, { cursor: 0 });
  assert.ok(!JSON.stringify(stream.frames.map(({ body }) => body)).includes(text));
});

recordStream.add('of somebody else’s repo is not for members', async (world) => {
  const { author, member } = world.people;
  const stream = await follow(world, member, { did: author.did });
  assert.match(await stream.end(), /^(RepoNotFound|AuthRequired|401|404)$/);
  assert.deepEqual(commits(stream), []);
});

recordStream.add('of a repo that does not exist ends like one that is hidden', async (world) => {
  const { author, member } = world.people;
  const hidden = await follow(world, member, { did: author.did });
  const absent = await follow(world, member, { did: 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa' });
  assert.equal(await hidden.end(), await absent.end());
  assert.deepEqual(
    hidden.frames.map(({ body }) => body),
    absent.frames.map(({ body }) => body),
  );
});

recordStream.add('is not for strangers', async (world) => {
  const stream = world.open(subscribeRecords, { did: world.people.author.did });
  assert.match(await stream.end(), /^(AuthRequired|401)$/);
});

recordStream.add(
  'without a person brings a named AppView the enrollments',
  ['appView'],
  async (world) => {
    const { author, shared } = world.people;
    const stream = await follow(world, world.appView, {});
    const ofAuthor = () =>
      stream.of<Enrollment>('#enrollment').filter(({ did }) => did === author.did);
    await stream.until('the enrollment', () => ofAuthor().length > 0);
    const last = ofAuthor().at(-1);
    assert.equal(last?.action, 'enroll');
    assert.ok(last?.boundaries?.includes(shared));
    const header = stream.frames.find((frame) => frame.header['t'] === '#enrollment')?.headerBytes;
    assert.equal(
      Buffer.from(header ?? []).toString('hex'),
      'a261746b23656e726f6c6c6d656e74626f7001',
    );
  },
);

recordStream.add('without a person is not for people', async (world) => {
  const stream = await follow(world, world.people.author, {});
  assert.match(await stream.end(), /^(AuthRequired|401|RepoNotFound)$/);
  assert.deepEqual(stream.of('#enrollment'), []);
});
