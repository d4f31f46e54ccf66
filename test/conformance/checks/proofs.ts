import assert from 'node:assert/strict';
import { parseCid } from '@atproto/lex-data';
import { readCarWithRoot, verifyProofs } from '@atproto/repo';
import { com } from '@stratos/protocol/lexicons';
import { CheckGroup } from '../check.ts';
import { assertSame } from '../world/answer.ts';
import { addressOf, type Written } from '../world/person.ts';
import type { World } from '../world/world.ts';

const { getRecord } = com.atproto.sync;
const CAR = 'application/vnd.ipld.car';
const ABSENT = '3jzfcijpj2zzv';

/** com.atproto.sync.getRecord. */
export const proofs = new CheckGroup('proofs', ['people']);

function paramsOf({ uri }: Pick<Written, 'uri'>) {
  const { repo: did, ...rest } = addressOf(uri);
  return { did, ...rest };
}

proofs.add('prove to a member that the author signed the record', async (world) => {
  const { author, member, shared } = world.people;
  const record = await author.post([shared]);
  const car = (await member.query(getRecord, paramsOf(record))).okBytes(CAR);
  await requireProof(world, record, car);
});

proofs.add('hold after many other records came and went', async (world) => {
  const { author, member, shared } = world.people;
  const record = await author.post([shared]);
  const others = [];
  for (let i = 0; i < 8; i++) others.push(await author.post([shared], `Other ${i}`));
  for (const { rkey } of others.slice(0, 4)) (await author.delete(rkey)).ok();
  const car = (await member.query(getRecord, paramsOf(record))).okBytes(CAR);
  await requireProof(world, record, car);
});

proofs.add('have the newest commit as their root', async ({ people }) => {
  const { author, shared } = people;
  const record = await author.post([shared]);
  const { commit } = await author.post([shared], 'A later one');
  const car = (await author.query(getRecord, paramsOf(record))).okBytes(CAR);
  assert.equal((await readCarWithRoot(car)).root.toString(), commit.cid);
});

proofs.add('have no record in them but the one', async ({ people }) => {
  const { author, shared } = people;
  const other = await author.post([shared], 'Not to be in the proof');
  const record = await author.post([shared]);
  const car = (await author.query(getRecord, paramsOf(record))).okBytes(CAR);
  const { blocks } = await readCarWithRoot(car);
  const has = (cid: string) => blocks.entries().some((block) => block.cid.toString() === cid);
  assert.deepEqual([has(record.cid), has(other.cid)], [true, false]);
});

proofs.add('of hidden records are refused like those of absent ones', async ({ people }) => {
  const record = await people.author.post([people.shared]);
  const hidden = await people.outsider.query(getRecord, paramsOf(record));
  hidden.refused(404, 'RecordNotFound');
  const absent = { ...paramsOf(record), rkey: ABSENT };
  assertSame(hidden, await people.outsider.query(getRecord, absent));
});

proofs.add('need somebody who says who they are', async ({ node, people }) => {
  const record = await people.author.post([people.shared]);
  const answer = await node.call(getRecord, { params: paramsOf(record) });
  answer.refused(401, 'AuthRequired');
});

proofs.add('are given to a named AppView', ['appView'], async (world) => {
  const record = await world.people.author.post([world.people.shared]);
  const car = (await world.appView.query(getRecord, paramsOf(record))).okBytes(CAR);
  await requireProof(world, record, car);
});

proofs.add('do not hold for another record, or by another key', async (world) => {
  const { author, member, shared } = world.people;
  const record = await author.post([shared]);
  const other = await author.post([shared], 'Another');
  const car = (await author.query(getRecord, paramsOf(record))).okBytes(CAR);
  await assert.rejects(requireProof(world, { ...record, cid: other.cid }, car));
  const { signingKey = '' } = await member.status();
  const claim = claimOf(record);
  await assert.rejects(verifyProofs(car, [claim], author.did, signingKey));
});

function claimOf({ uri, cid }: Written) {
  const { collection, rkey } = addressOf(uri);
  return { collection, rkey, cid: parseCid(cid) } as unknown as Parameters<
    typeof verifyProofs
  >[1][0];
}

async function requireProof({ people }: World, record: Written, car: Uint8Array): Promise<void> {
  const { signingKey = '' } = await people.author.status();
  const result = await verifyProofs(car, [claimOf(record)], people.author.did, signingKey);
  assert.equal(result.unverified.length, 0, 'the proof does not hold');
  assert.equal(result.verified.length, 1);
}
