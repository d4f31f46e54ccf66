import assert from 'node:assert/strict';
import {
  type RepoHead,
  verifyCommit,
  verifyHeartbeat,
  verifyMembershipEntry,
} from '@stratos/protocol';
import { com, zone } from '@stratos/protocol/lexicons';
import { CheckGroup } from '../check.ts';
import { postRecord, written } from '../world/person.ts';
import type { Stream } from '../world/stream.ts';
import type { World } from '../world/world.ts';
import { keyHistoryOf } from './key-history.ts';

const { subscribeService } = zone.stratos.sync;
const { applyWrites } = com.atproto.repo;
type Commit = zone.stratos.sync.subscribeService.Commit;
type Membership = zone.stratos.sync.subscribeService.Membership;

/** zone.stratos.sync.subscribeService. */
export const serviceStream = new CheckGroup('subscribe-service', ['appView', 'people']);

async function follow(world: World, cursor?: number): Promise<Stream> {
  const authorization = await world.appView.authorization(subscribeService.$nsid);
  return world.open(subscribeService, { cursor }, authorization);
}

async function followed(world: World, cursor?: number): Promise<Stream> {
  const stream = await follow(world, cursor);
  await stream.until('a heartbeat', () => stream.of('#heartbeat').length > 0);
  return stream;
}

function commitsOf(stream: Stream, did: string): Commit[] {
  return stream.of<Commit>('#commit').filter((commit) => commit.did === did);
}

serviceStream.add(
  'has two DAG-CBOR objects to a frame, the header as the specification has it',
  async (world) => {
    const stream = await followed(world);
    const written = await world.people.author.post([world.people.shared]);
    await stream.until('the commit', () =>
      stream.of<Commit>('#commit').some(({ rev }) => rev === written.commit.rev),
    );
    const header = stream.frames.find((frame) => frame.header['t'] === '#commit')?.headerBytes;
    assert.equal(Buffer.from(header ?? []).toString('hex'), 'a261746723636f6d6d6974626f7001');
  },
);

serviceStream.add('keeps to its lexicon in every message', async (world) => {
  const stream = await followed(world, 0);
  const schemas = {
    '#commit': subscribeService.commit,
    '#membership': subscribeService.membership,
    '#heartbeat': subscribeService.heartbeat,
    '#info': subscribeService.info,
  };
  for (const { header, body } of stream.frames) {
    const schema = schemas[String(header['t']) as keyof typeof schemas];
    const result = schema.safeParse(body);
    assert.ok(result.success, `${header['t']}: ${result.success ? '' : result.reason.message}`);
  }
});

serviceStream.add(
  'says that the node is alive, in heartbeats that the node has signed',
  async (world) => {
    const stream = await followed(world);
    const heartbeat = verifyHeartbeat(stream.of('#heartbeat')[0], {
      service: world.node.did,
      keys: world.node.keys,
    });
    assert.ok(heartbeat.membershipSeq > 0 && heartbeat.membershipHead);
  },
);

serviceStream.add('says so again within 15 seconds', async (world) => {
  const stream = await followed(world);
  await stream.until('another heartbeat', () => stream.of('#heartbeat').length > 1, 16_000);
});

serviceStream.add('brings a write with all that proves it', async (world) => {
  const { author, shared } = world.people;
  const { signingKey } = await author.status();
  const first = await author.post([shared], 'Before');
  const stream = await followed(world, 0);
  const { cid, commit } = await author.post([shared], 'After');
  const isThere = () => commitsOf(stream, author.did).some(({ rev }) => rev === commit.rev);
  await stream.until('the commit', isThere);
  let previous: RepoHead | undefined;
  const cids: unknown[] = [];
  for (const frame of commitsOf(stream, author.did)) {
    const options = { service: world.node.did, signingKey: signingKey as never, previous };
    const verified = await verifyCommit(frame, options);
    previous = verified;
    cids.push(...verified.ops.map((op) => op.cid));
  }
  assert.ok(cids.includes(first.cid as never) && cids.includes(cid as never));
});

serviceStream.add('has a whole batch in one message', async (world) => {
  const { author, shared } = world.people;
  const stream = await followed(world);
  const collection = zone.stratos.feed.post.$nsid;
  const write = (text: string) => ({
    $type: applyWrites.create.$type,
    collection,
    value: postRecord(text, [shared]),
  });
  (await author.apply([write('a'), write('b'), write('c')])).ok();
  await stream.until('the commit', () => commitsOf(stream, author.did).length > 0);
  assert.equal(commitsOf(stream, author.did)[0]?.ops.length, 3);
});

serviceStream.add('has paths without a leading slash', async (world) => {
  const { author, shared } = world.people;
  const stream = await followed(world);
  const { rkey } = await author.post([shared]);
  await stream.until('the commit', () => commitsOf(stream, author.did).length > 0);
  assert.equal(
    commitsOf(stream, author.did)[0]?.ops[0]?.path,
    `${zone.stratos.feed.post.$nsid}/${rkey}`,
  );
});

serviceStream.add('says of a deletion which boundaries the record had', async (world) => {
  const { author, shared } = world.people;
  const { rkey } = await author.post([shared]);
  const stream = await followed(world);
  (await author.delete(rkey)).ok();
  await stream.until('the commit', () => commitsOf(stream, author.did).length > 0);
  const [op] = commitsOf(stream, author.did)[0]?.ops ?? [];
  assert.equal(op?.action, 'delete');
  assert.deepEqual(op?.prevBoundaries, [shared]);
});

serviceStream.add(
  'says of a moved record where it was and where it is',
  ['operator'],
  async (world) => {
    const { author, shared } = world.people;
    const other = world.otherBoundary;
    await world.withBoundaries(author, [shared, other]);
    const { rkey } = await author.post([shared]);
    const stream = await followed(world);
    written(await author.put(rkey, postRecord('Moved', [other])));
    await stream.until('the commit', () => commitsOf(stream, author.did).length > 0);
    const [op] = commitsOf(stream, author.did)[0]?.ops ?? [];
    assert.deepEqual([op?.boundaries, op?.prevBoundaries], [[other], [shared]]);
  },
);

serviceStream.add('brings no content of deleted records to those who come late', async (world) => {
  const { author, shared } = world.people;
  const text = `To be forgotten ${Date.now()}`;
  const { rkey } = await author.post([shared], text);
  (await author.delete(rkey)).ok();
  const stream = await followed(world, 0);
  const all = Buffer.concat(stream.of<Commit>('#commit').map(({ blocks }) => Buffer.from(blocks)));
  assert.ok(!all.includes(text), 'the stream still has the text');
});

serviceStream.add('has positions that increase, each once', async (world) => {
  const stream = await followed(world, 0);
  const seqs = stream.frames
    .filter(({ header }) => header['t'] === '#commit' || header['t'] === '#membership')
    .map(({ body }) => Number(body['seq']));
  for (const [i, seq] of seqs.entries()) assert.ok(i === 0 || seq > (seqs[i - 1] ?? 0));
});

serviceStream.add('goes on after the cursor', async (world) => {
  const stream = await followed(world, 0);
  const [, second] = stream.frames;
  const cursor = Number(second?.body['seq']);
  const again = await followed(world, cursor);
  assert.equal(again.frames[0]?.body['seq'], stream.frames[2]?.body['seq']);
});

serviceStream.add('without a cursor begins with what comes next', async (world) => {
  const stream = await followed(world);
  assert.equal(stream.frames[0]?.header['t'], '#heartbeat');
});

serviceStream.add('refuses a cursor beyond the newest event', async (world) => {
  const stream = await follow(world, 2_000_000_000);
  assert.equal(await stream.end(), 'FutureCursor');
});

serviceStream.add('has error frames as the specification has them', async (world) => {
  const stream = await follow(world, 2_000_000_000);
  await stream.end();
  const frame = stream.frames.find(({ header }) => header['op'] === -1);
  assert.equal(Buffer.from(frame?.headerBytes ?? []).toString('hex'), 'a1626f7020');
  assert.equal(frame?.body['error'], 'FutureCursor');
});

serviceStream.add('brings memberships, a chain that the node has signed', async (world) => {
  const stream = await followed(world, 0);
  const { keys } = await keyHistoryOf(world.node);
  const entries = stream.of<Membership>('#membership').map(({ entry }) => entry);
  let previous: Parameters<typeof verifyMembershipEntry>[1]['previous'];
  for (const bytes of entries) {
    const { entry, cid } = await verifyMembershipEntry(bytes, {
      service: world.node.did,
      keys,
      previous: previous,
    });
    previous = { seq: entry.seq, cid };
  }
  const heartbeat = verifyHeartbeat(stream.of('#heartbeat')[0], { service: world.node.did, keys });
  assert.deepEqual(
    { seq: heartbeat.membershipSeq, cid: heartbeat.membershipHead },
    previous && { seq: previous.seq, cid: previous.cid },
  );
});

serviceStream.add('brings a change of membership at once', ['operator'], async (world) => {
  const stream = await followed(world);
  await world.withBoundaries(world.people.member, []);
  await stream.until('the membership', () => stream.of('#membership').length > 0);
});

for (const [who, of] of Object.entries({
  'a member': (world: World) => world.people.author.authorization(subscribeService.$nsid),
  'a stranger': async () => undefined,
  'an AppView with a token for another method': (world: World) =>
    world.appView.authorization(zone.stratos.sync.subscribeRecords.$nsid),
})) {
  serviceStream.add(`is not for ${who}`, async (world) => {
    const stream = world.open(subscribeService, { cursor: 0 }, await of(world));
    const end = await stream.end();
    assert.ok(['AuthRequired', '401'].includes(end), end);
    assert.deepEqual(stream.of('#commit'), []);
  });
}

serviceStream.add('refuses plain HTTP', async ({ node }) => {
  const answer = await node.request(`/xrpc/${subscribeService.$nsid}`);
  assert.ok([400, 404, 405, 426, 501].includes(answer.status), String(answer.status));
});

serviceStream.add('cuts off who sends what nobody asked for', async (world) => {
  const stream = await followed(world);
  stream.send(Buffer.alloc(2 * 1024 * 1024));
  await stream.until('the end', () => stream.isClosed);
});
