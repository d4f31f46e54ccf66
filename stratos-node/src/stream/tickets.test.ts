import { randomBytes } from 'node:crypto';
import { SigningKey } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { StreamClient } from '../testing/stream-client.ts';
import { postRecord, SWORDSMITH, TestNode, TestPerson } from '../testing/test-node.ts';
import { Tickets } from './tickets.ts';

const rei = TestPerson.named('rei');
const sakura = TestPerson.named('sakura');
const recordsOf = zone.stratos.sync.subscribeRecords.$nsid;
const everything = zone.stratos.sync.subscribeService.$nsid;
const createTicket = zone.stratos.sync.createTicket.$nsid;

async function ticketOf(node: TestNode, person: TestPerson, method: string): Promise<string> {
  const answer = await node.procedure(person, createTicket, { method });
  expect(answer.status).toBe(200);
  const { ticket, expiresAt } = await answer.json();
  expect(Date.parse(expiresAt) - Date.now()).toBeLessThanOrEqual(30_000);
  return ticket;
}

async function heardWith(
  node: TestNode,
  syncToken: string,
  { nsid = recordsOf, did = rei.did as string | undefined, authorization = '' } = {},
) {
  const params = { syncToken, ...(did !== undefined && { did }) };
  const request = { nsid, params, ...(authorization && { authorization }) };
  await using stream = StreamClient.request(node, request);
  await stream.until(({ frames }) => frames.length > 0);
  return stream.frames[0]?.type;
}

it('opens one stream, for the person who asked and the stream that they asked for', async () => {
  await using node = await TestNode.start({ people: [rei, sakura] });
  await node.enroll(rei, [SWORDSMITH]);
  await node.createPost(rei, postRecord('hello'));
  const ticket = await ticketOf(node, rei, recordsOf);
  expect(await heardWith(node, ticket)).toBe('#commit');
  expect(await heardWith(node, ticket)).toBe('AuthRequired');
  const fresh = await ticketOf(node, node.appView, recordsOf);
  expect(await heardWith(node, fresh, { nsid: everything, did: undefined })).toBe('AuthRequired');
  expect(await heardWith(node, await ticketOf(node, sakura, recordsOf))).toBe('RepoNotFound');
  const ofAppView = await ticketOf(node, node.appView, everything);
  await using stream = StreamClient.request(node, { params: { syncToken: ofAppView, cursor: 0 } });
  await stream.until(({ frames }) => frames.length > 2);
  expect(stream.frames[0]?.type).toBe('#membership');
});

it('takes no other token as a ticket, and no ticket as another token', async () => {
  await using node = await TestNode.start({ people: [rei] });
  await node.enroll(rei, [SWORDSMITH]);
  await node.createPost(rei, postRecord('hello'));
  const authorization = await rei.authorization(recordsOf);
  const jwt = authorization.slice('Bearer '.length);
  for (const other of [jwt, node.ctx.config.adminPassword ?? '', 'x', '.', '']) {
    expect(await heardWith(node, other)).toBe('AuthRequired');
  }
  expect(await heardWith(node, 'x', { authorization })).toBe('AuthRequired');
  const ticket = await ticketOf(node, rei, recordsOf);
  const asToken = await node.post(createTicket, { method: recordsOf }, `Bearer ${ticket}`);
  expect(asToken.status).toBe(401);
});

it('cannot be guessed by whoever tries again and again', async () => {
  await using node = await TestNode.start({ env: { STRATOS_IP_RATE_MAX_REQUESTS: '3' } });
  const heard = [];
  for (let i = 0; i < 5; i++) heard.push(await heardWith(node, `${i}`));
  const limit = 'RateLimitExceeded';
  expect(heard).toEqual(['AuthRequired', 'AuthRequired', 'AuthRequired', limit, limit]);
});

it('is given to nobody who does not say who they are, and for nothing but streams', async () => {
  await using node = await TestNode.start({ people: [rei] });
  expect((await node.post(createTicket, { method: recordsOf })).status).toBe(401);
  const other = await node.procedure(rei, createTicket, { method: createTicket });
  expect([other.status, (await other.json()).error]).toEqual([400, 'InvalidRequest']);
});

it('is never written into the log', async () => {
  let written = '';
  const logger = pino({ level: 'trace' }, { write: (line) => (written += line) });
  await using node = await TestNode.start({ people: [rei], logger });
  await node.enroll(rei, [SWORDSMITH]);
  await node.createPost(rei, postRecord('hello'));
  const ticket = await ticketOf(node, node.appView, recordsOf);
  await heardWith(node, ticket);
  await heardWith(node, ticket);
  await node.get(recordsOf, { did: rei.did, syncToken: ticket });
  const { port } = new URL(node.url);
  await fetch(`http://127.0.0.1:${port}/elsewhere?syncToken=${ticket}`);
  expect(written).toContain(recordsOf);
  expect(written).not.toContain(ticket);
  expect(written).not.toContain(ticket.split('.')[1]);
});

function withClock() {
  const claimed = new Set<string>();
  const replayStore = {
    claim: async (id: string) => !claimed.has(id) && claimed.add(id) !== undefined,
  };
  const clock = { now: Date.parse('2026-01-01T00:00:00Z') };
  const nodeKeys = { current: SigningKey.generate('secp256k1') };
  const tickets = new Tickets({ nodeKeys, replayStore, now: () => clock.now });
  return { tickets, clock, nodeKeys, replayStore };
}

const refused = { code: 'AuthRequired' };

it('holds for thirty seconds', async () => {
  const { tickets, clock } = withClock();
  const [first, second] = [tickets.issue(rei.did, 'a'), tickets.issue(rei.did, 'a')];
  clock.now += 29_999;
  expect(await tickets.redeem(first.ticket, 'a')).toBe(rei.did);
  clock.now += 1;
  await expect(tickets.redeem(second.ticket, 'a')).rejects.toMatchObject(refused);
});

it('does not hold when it was altered, or made by another node', async () => {
  const { tickets, nodeKeys } = withClock();
  const { ticket } = tickets.issue(rei.did, 'a');
  const [payload = '', mac = ''] = ticket.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
  const forged = Buffer.from(JSON.stringify({ ...claims, caller: sakura.did })).toString(
    'base64url',
  );
  const altered = [
    `${forged}.${mac}`,
    `${payload}.${randomBytes(32).toString('base64url')}`,
    `${payload}.${mac.slice(0, -1)}`,
    `${payload}.${mac}=`,
    `${payload}.`,
    `${payload}`,
    `${ticket}.${mac}`,
  ];
  for (const wrong of altered) {
    await expect(tickets.redeem(wrong, 'a')).rejects.toMatchObject(refused);
  }
  nodeKeys.current = SigningKey.generate('secp256k1');
  await expect(tickets.redeem(ticket, 'a')).rejects.toMatchObject(refused);
});

it('refuses while nobody can say whether it was used', async () => {
  const { nodeKeys } = withClock();
  const replayStore = { claim: () => Promise.reject(new Error('not now')) };
  const tickets = new Tickets({ nodeKeys, replayStore });
  const { ticket } = tickets.issue(rei.did, 'a');
  await expect(tickets.redeem(ticket, 'a')).rejects.toMatchObject(refused);
});
