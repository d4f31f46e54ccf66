import assert from 'node:assert/strict';
import { ProofError, type VerifiedMembershipLog, verifyMembershipLog } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { CheckGroup } from '../check.ts';
import type { World } from '../world/world.ts';
import { keyHistoryOf } from './key-history.ts';

const { getMembershipLog } = zone.stratos.admin;
type Output = zone.stratos.admin.getMembershipLog.$OutputBody;

/** The log of who is a member of what, and that it can be checked. */
export const membershipLog = new CheckGroup('membership-log', ['operator', 'people']);

membershipLog.add('verifies from its first entry, by the node’s own keys', async (world) => {
  const { head } = await verifiedLog(world);
  assert.ok(head && head.seq > 0);
});

membershipLog.add('says of everybody at its end what is true', async (world) => {
  const { standings } = await verifiedLog(world);
  for (const person of [world.people.author, world.people.member]) {
    const standing = standings.get(person.did);
    const { boundaries = [], signingKey } = await person.status();
    assert.deepEqual(standing?.boundaries, boundaries.map(({ value }) => value).sort());
    assert.equal(standing?.signingKey, signingKey);
    assert.equal(standing?.active, true);
  }
});

membershipLog.add('grows by one entry with a change, and by none without', async (world) => {
  const { people, operator } = world;
  const before = (await verifiedLog(world)).head?.seq ?? 0;
  await operator.setBoundaries(people.author.did, people.author.boundaries);
  assert.equal((await verifiedLog(world)).head?.seq, before);
  await world.withBoundaries(people.author, []);
  assert.equal((await verifiedLog(world)).head?.seq, before + 1);
});

membershipLog.add('goes on after the position that is asked for', async ({ operator }) => {
  const first = (await operator.query(getMembershipLog, { limit: 1 })).ok<Output>();
  const rest = (await operator.query(getMembershipLog, { limit: 1, cursor: 1 })).ok<Output>();
  assert.deepEqual([first.entries[0]?.seq, rest.entries[0]?.seq], [1, 2]);
});

membershipLog.add('is for named AppViews too', ['appView'], async ({ appView }) => {
  assert.ok((await appView.query(getMembershipLog)).ok<Output>().entries.length > 0);
});

membershipLog.add('is not for members', async ({ people }) => {
  const answer = await people.author.query(getMembershipLog);
  answer.refused(401, 'AuthRequired');
});

membershipLog.add('does not verify with an entry changed, or left out', async (world) => {
  const entries = await allEntries(world);
  const options = { service: world.node.did, keys: (await keyHistoryOf(world.node)).keys };
  const [first = new Uint8Array()] = entries;
  const flipped = Uint8Array.from(first, (byte, i) => (i === first.length - 1 ? byte ^ 1 : byte));
  await assert.rejects(verifyMembershipLog([flipped, ...entries.slice(1)], options), ProofError);
  await assert.rejects(verifyMembershipLog(entries.slice(1), options), ProofError);
});

async function verifiedLog(world: World): Promise<VerifiedMembershipLog> {
  const { keys } = await keyHistoryOf(world.node);
  return verifyMembershipLog(await allEntries(world), { service: world.node.did, keys });
}

async function allEntries({ operator }: World): Promise<Uint8Array[]> {
  const entries: Uint8Array[] = [];
  let cursor: number | undefined;
  do {
    const page = (await operator.query(getMembershipLog, { limit: 1000, cursor })).ok<Output>();
    entries.push(...page.entries.map(({ entry }) => entry));
    cursor = page.cursor;
  } while (cursor !== undefined);
  return entries;
}
