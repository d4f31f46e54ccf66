import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { decode } from '@atproto/lex-cbor';
import type { Cid } from '@atproto/lex-data';
import { readCarWithRoot, verifyRepoCar } from '@atproto/repo';
import { com, zone } from '@stratos/protocol/lexicons';
import { CheckGroup } from '../check.ts';
import { assertSame } from '../world/answer.ts';
import type { Person } from '../world/person.ts';
import type { World } from '../world/world.ts';

const { getRepo } = zone.stratos.sync;
const { importRepo } = zone.stratos.repo;
const CAR = 'application/vnd.ipld.car';

/** zone.stratos.sync.getRepo. */
export const exports = new CheckGroup('export', ['people']);

async function ownRepo({ people }: World, params = {}): Promise<Uint8Array> {
  return (await people.author.query(getRepo, { did: people.author.did, ...params })).okBytes(CAR);
}

exports.add('gives the owner a repo that verifies, with their key', async (world) => {
  const { author, shared } = world.people;
  const { cid } = await author.post([shared]);
  const { signingKey } = await author.status();
  const { creates } = await verifyRepoCar(await ownRepo(world), author.did, signingKey);
  assert.ok(creates.some((record) => record.cid.toString() === cid));
});

exports.add('has the newest commit as its root', async (world) => {
  const { commit } = await world.people.author.post([world.people.shared]);
  const { root } = await readCarWithRoot(await ownRepo(world));
  assert.equal(root.toString(), commit.cid);
});

exports.add('has nothing of deleted records', async (world) => {
  const { author, shared } = world.people;
  const text = `To be forgotten ${Date.now()}`;
  const { rkey } = await author.post([shared], text);
  (await author.delete(rkey)).ok();
  assert.ok(!Buffer.from(await ownRepo(world)).includes(text));
});

exports.add('since a revision has only what is newer', async (world) => {
  const { author, shared } = world.people;
  const before = await author.post([shared], 'Older');
  const after = await author.post([shared], 'Newer');
  const { blocks } = await readCarWithRoot(await ownRepo(world, { since: before.commit.rev }));
  const cids = blocks.entries().map(({ cid }) => cid.toString());
  assert.deepEqual([cids.includes(before.cid), cids.includes(after.cid)], [false, true]);
});

exports.add('does not verify with another key', async (world) => {
  const { author, member, shared } = world.people;
  await author.post([shared]);
  const { signingKey } = await member.status();
  await assert.rejects(verifyRepoCar(await ownRepo(world), author.did, signingKey));
});

exports.add('is for a named AppView too', ['appView'], async ({ appView, people }) => {
  (await appView.query(getRepo, { did: people.author.did })).okBytes(CAR);
});

exports.add('needs somebody who says who they are', async ({ node, people }) => {
  const answer = await node.call(getRepo, { params: { did: people.author.did } });
  answer.refused(401, 'AuthRequired');
});

exports.add('is not for other people, whether there is such a repo or not', async ({ people }) => {
  const hidden = await people.member.query(getRepo, { did: people.author.did });
  hidden.refused(404, 'RepoNotFound');
  assertSame(
    hidden,
    await people.member.query(getRepo, { did: 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa' }),
  );
});

/** zone.stratos.repo.importRepo, as far as it can be tried without harm. */
export const imports = new CheckGroup('import', ['people']);

async function offer({ people, node }: World, car: Uint8Array, type = CAR) {
  const authorization = await people.author.authorization(importRepo.$nsid);
  const body = car as Uint8Array<ArrayBuffer>;
  return node.call(importRepo, { authorization, headers: { 'content-type': type }, body });
}

imports.add('needs somebody who says who they are', async ({ node }) => {
  const body = randomBytes(10) as Uint8Array<ArrayBuffer>;
  const answer = await node.call(importRepo, { headers: { 'content-type': CAR }, body });
  answer.refused(401, 'AuthRequired');
});

imports.add('refuses to fill a repo that has other records', async (world) => {
  const { author, shared } = world.people;
  await author.post([shared], 'In the export');
  const car = await ownRepo(world);
  await author.post([shared], 'Later');
  (await offer(world, car)).refused(400, 'RepoAlreadyExists');
});

imports.add('makes of an export the repo that it was', ['newcomer'], async (world) => {
  const { person, enroll } = world.newcomer;
  const { unenroll } = zone.stratos.enrollment;
  await enroll();
  world.afterwards(async () => void (await person.procedure(unenroll, {})).ok());
  world.afterwards(() => person.cleanUp());
  const [boundary = ''] = (await person.status()).boundaries?.map(({ value }) => value) ?? [];
  for (const text of ['one', 'two', 'three']) await person.post([boundary], text);
  const exported = await treeOf(person);
  await person.cleanUp();
  assert.notEqual((await treeOf(person)).data, exported.data);
  const authorization = await person.authorization(importRepo.$nsid);
  const body = exported.car as Uint8Array<ArrayBuffer>;
  const headers = { 'content-type': CAR };
  const answer = await world.node.call(importRepo, { authorization, headers, body });
  assert.equal(answer.ok<{ imported: number }>().imported, 3);
  const { data, creates } = await treeOf(person);
  for (const { collection, rkey } of creates) {
    const { deleteRecord } = com.atproto.repo;
    world.afterwards(() => person.procedure(deleteRecord, { repo: person.did, collection, rkey }));
  }
  assert.equal(data, exported.data);
});

/** Somebody's repo, verified, with the root of its tree. */
async function treeOf(person: Person) {
  const car = (await person.query(getRepo, { did: person.did })).okBytes(CAR);
  const { signingKey } = await person.status();
  const { creates, commit } = await verifyRepoCar(car, person.did, signingKey);
  const { root, blocks } = await readCarWithRoot(car);
  assert.equal(root.toString(), commit.cid.toString());
  const { data } = decode<{ data: Cid }>(blocks.get(root) ?? new Uint8Array());
  return { car, creates, data: data.toString() };
}

imports.add('refuses what is no CAR', async (world) => {
  const answer = await offer(world, randomBytes(1_000));
  answer.refused(400, 'InvalidCar', 'RepoAlreadyExists');
});

imports.add('refuses another type of body', async (world) => {
  const answer = await offer(world, new TextEncoder().encode('{}'), 'application/json');
  assert.ok([400, 415].includes(answer.status), String(answer.status));
});

imports.add('refuses the repo of somebody else', async (world) => {
  const { author, member, shared } = world.people;
  await author.post([shared]);
  const authorization = await member.authorization(importRepo.$nsid);
  const body = (await ownRepo(world)) as Uint8Array<ArrayBuffer>;
  const headers = { 'content-type': CAR };
  const answer = await world.node.call(importRepo, { authorization, headers, body });
  answer.refused(400, 'InvalidCar', 'RepoAlreadyExists');
});

imports.add(
  'moves a repo of a newcomer to nobody who was not enrolled',
  ['newcomer'],
  async (world) => {
    const car = (await ownRepo(world)) as Uint8Array<ArrayBuffer>;
    const { person } = world.newcomer;
    const authorization = await person.authorization(importRepo.$nsid);
    const headers = { 'content-type': CAR };
    const answer = await world.node.call(importRepo, { authorization, headers, body: car });
    answer.refused(answer.status === 400 ? 400 : 403, 'NotEnrolled', 'InvalidCar');
  },
);
