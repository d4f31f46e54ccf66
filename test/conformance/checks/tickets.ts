import assert from 'node:assert/strict';
import { zone } from '@stratos/protocol/lexicons';
import { CheckGroup } from '../check.ts';
import type { World } from '../world/world.ts';

const { createTicket, subscribeRecords, subscribeService } = zone.stratos.sync;
type Output = zone.stratos.sync.createTicket.$OutputBody;

/** Tickets, by which a stream is opened without headers. */
export const tickets = new CheckGroup('tickets', ['people']);

async function ticketOf({ people }: World): Promise<Output> {
  return (await people.author.procedure(createTicket, { method: subscribeRecords.$nsid })).ok();
}

/** How an attempt to open the person's own stream by a ticket goes. */
async function attempt(world: World, syncToken: string): Promise<string> {
  const { author, shared } = world.people;
  await author.post([shared]);
  const stream = world.open(subscribeRecords, { did: author.did, syncToken });
  await stream.until(
    'an end or a commit',
    () => stream.isClosed || stream.of('#commit').length > 0,
  );
  return stream.of('#commit').length > 0 ? 'opened' : stream.end();
}

tickets.add('open a stream', async (world) => {
  const { ticket } = await ticketOf(world);
  assert.equal(await attempt(world, ticket), 'opened');
});

tickets.add('open it once', async (world) => {
  const { ticket } = await ticketOf(world);
  assert.equal(await attempt(world, ticket), 'opened');
  assert.match(await attempt(world, ticket), /^(AuthRequired|401)$/);
});

tickets.add('live for at most 30 seconds', async (world) => {
  const { expiresAt } = await ticketOf(world);
  const left = Date.parse(expiresAt) - Date.now();
  assert.ok(left > 0 && left <= 31_000, `${left} ms`);
});

tickets.add('are no tokens for anything else', async (world) => {
  const { ticket } = await ticketOf(world);
  const { status } = zone.stratos.enrollment;
  const params = { did: world.people.author.did };
  const answer = await world.node.call(status, { params, authorization: `Bearer ${ticket}` });
  answer.refused(401, 'AuthRequired');
});

tickets.add('are no tickets when made up', async (world) => {
  const { ticket } = await ticketOf(world);
  for (const forged of ['x', `${ticket}x`, ticket.slice(0, -2), ticket.replace(/^./, 'A')]) {
    if (forged === ticket) continue;
    assert.match(await attempt(world, forged), /^(AuthRequired|401)$/);
  }
});

tickets.add('for one stream do not open another', async (world) => {
  const { ticket: syncToken } = await ticketOf(world);
  const stream = world.open(subscribeService, { cursor: 0, syncToken });
  assert.match(await stream.end(), /^(AuthRequired|401)$/);
});

tickets.add(
  'of an AppView are for the one stream that it asked for',
  ['appView'],
  async (world) => {
    const { appView } = world;
    const open = async (method: string) => {
      const { ticket } = (await appView.procedure(createTicket, { method })).ok<Output>();
      const stream = world.open(subscribeService, { syncToken: ticket });
      const isOver = () => stream.isClosed || stream.of('#heartbeat').length > 0;
      await stream.until('an end or a heartbeat', isOver);
      return stream.isClosed ? stream.end() : 'opened';
    };
    assert.equal(await open(subscribeService.$nsid), 'opened');
    assert.match(await open(subscribeRecords.$nsid), /^(AuthRequired|401)$/);
  },
);

tickets.add('of a person do not open somebody else’s repo', async (world) => {
  const { ticket: syncToken } = await ticketOf(world);
  const stream = world.open(subscribeRecords, { did: world.people.member.did, syncToken });
  assert.match(await stream.end(), /^(RepoNotFound|AuthRequired|401|404)$/);
});

tickets.add('need somebody who says who they are', async ({ node }) => {
  const body = { method: subscribeRecords.$nsid };
  (await node.call(createTicket, { body })).refused(401, 'AuthRequired');
});

tickets.add('are for streams alone', async ({ people }) => {
  const body = { method: zone.stratos.enrollment.unenroll.$nsid };
  (await people.author.procedure(createTicket, body)).refused(400, 'InvalidRequest');
});
