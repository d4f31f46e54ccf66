import { setTimeout as sleep } from 'node:timers/promises';
import { parseAtUri, toAtUri } from '@stratos/protocol';
import { com, zone } from '@stratos/protocol/lexicons';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type LocalNetwork, procedure, startLocalNetwork } from '../network/src/index.ts';
import { DOORS, type Follower, type Told } from './doors.ts';
import { threeGateways } from './gateways.ts';

const [AUTHOR, READER] = ['rei.test', 'sakura.test'];
const BOUNDARIES = ['swordsmith', 'aekea'] as const;
/** Of which it is told how long they take. */
const POSTS = 20;
/** While gateways are killed. */
const POSTS_MEANWHILE = 60;

let network: LocalNetwork;
let followers: { name: string; follower: Follower }[];

beforeAll(async () => {
  network = await startLocalNetwork({ ephemeral: true, ports: 'free', bare: true });
  for (const handle of [AUTHOR, READER]) {
    await network.createAccount(handle);
    await network.enroll(handle, 'swordsmith', BOUNDARIES);
  }
  const { token } = await network.gatewaySession(READER);
  const gateway = network.topology.gateway.url;
  followers = DOORS.map((door) => ({
    name: door.name,
    follower: door.follow({ gateway, token }),
  }));
  await everybody((told) => {
    const open = told.flatMap(({ boundary, boundaries }) => boundary ?? boundaries ?? []);
    expect(open).toEqual(expect.arrayContaining(BOUNDARIES.map((name) => network.boundary(name))));
  });
});
afterAll(async () => {
  for (const { follower } of followers ?? []) follower[Symbol.dispose]();
  await network?.[Symbol.asyncDispose]();
});

/** Waits until something is so for what each stream has told. */
async function everybody(check: (told: Told[]) => void): Promise<void> {
  await vi.waitFor(
    () => {
      for (const { follower } of followers) check(follower.told);
    },
    { timeout: 20_000, interval: 5 },
  );
}

const post = (text: string, boundary: (typeof BOUNDARIES)[number]) =>
  network.post(AUTHOR, [boundary], text);

async function remove(uri: string): Promise<void> {
  const { did: audience, url } = network.topology.nodes.swordsmith;
  const lxm = com.atproto.repo.deleteRecord.$lxm;
  const token = await network.serviceAuth(AUTHOR, { audience, lxm });
  const { did: repo, rkey } = parseAtUri(toAtUri(uri));
  const body = { repo, collection: zone.stratos.feed.post.$nsid, rkey };
  await procedure(url, lxm, body, { authorization: `Bearer ${token}` });
}

it('tells on every surface what somebody posts, deletes, and may not read any more', async () => {
  const posted: { at: number; text: string }[] = [];
  for (let index = 0; index < POSTS; index++) {
    const text = `Fold ${index}.`;
    posted.push({ text, at: Date.now() });
    await post(text, 'swordsmith');
    await everybody((told) => expect(told.at(-1)).toMatchObject({ type: 'post', text }));
  }
  for (const { name, follower } of followers) {
    const delays = posted
      .map(({ text, at }) => (follower.told.find((told) => told.text === text)?.at ?? 0) - at)
      .sort((a, b) => a - b);
    console.info(
      `${name}: from before a post is written to its arrival ${delays[POSTS / 2]} ms, ${delays.at(-1)} ms at most`,
    );
  }

  const { uri } = await post('Struck off.', 'swordsmith');
  await everybody((told) => expect(told.at(-1)).toMatchObject({ type: 'post', uri }));
  await remove(uri);
  await everybody((told) => expect(told.at(-1)).toMatchObject({ type: 'removed', uri }));

  const boundary = network.boundary('swordsmith');
  await network.nodes.swordsmith.removeBoundary(network.account(READER).did, boundary);
  await everybody((told) =>
    expect(told.at(-1)).toMatchObject({ type: 'boundaryClosed', boundary }),
  );
  await post('Not for everybody.', 'swordsmith');
  await post('For the others.', 'aekea');
  await everybody((told) => expect(told.at(-1)).toMatchObject({ text: 'For the others.' }));
  for (const { follower } of followers) {
    const texts = follower.told.flatMap(({ text }) => text ?? []);
    expect(texts).toEqual([...posted.map(({ text }) => text), 'Struck off.', 'For the others.']);
  }

  const rest = network.boundary('aekea');
  await network.nodes.swordsmith.removeBoundary(network.account(READER).did, rest);
  await everybody((told) => expect(told.at(-1)).toMatchObject({ type: 'closed' }));
  await vi.waitFor(() => {
    for (const { follower } of followers) expect(follower.isOver).toBe(true);
  });
});

it('readers on every surface lose nothing and get nothing twice while two of three gateways are killed', async () => {
  await using owned = new AsyncDisposableStack();
  const gateways = await threeGateways(network);
  for (const gateway of gateways) owned.use(gateway);
  const { token } = await network.gatewaySession(AUTHOR);
  const written: string[] = [];
  let isWritten = false;
  const opened = DOORS.map(() => Promise.withResolvers<void>());
  const reading = DOORS.map(async ({ follow }, index) => {
    const texts: string[] = [];
    const used = new Set<string>();
    let after: string | undefined;
    // Each begins at one of those that are killed.
    for (let at = index % 2; !isWritten || texts.length < written.length; at++) {
      const { url: gateway } = gateways[at % gateways.length] ?? { url: '' };
      using follower = follow({ gateway, token, after });
      const shown = () => follower.told.flatMap(({ text }) => text ?? []);
      const isWhole = () => isWritten && texts.length + shown().length >= written.length;
      while (!follower.isOver && !isWhole()) {
        if (follower.told.length > 0) opened[index]?.resolve();
        await sleep(5);
      }
      if (follower.told.length > 0) used.add(gateway);
      texts.push(...shown());
      after = follower.told.findLast(({ cursor }) => cursor)?.cursor ?? after;
    }
    return { texts, used };
  });
  await Promise.all(opened.map(({ promise }) => promise));
  for (let index = 0; index < POSTS_MEANWHILE; index++) {
    const text = `Fold ${index}.`;
    written.push(text);
    await network.post(AUTHOR, ['swordsmith'], text);
    if (index === POSTS_MEANWHILE / 3) void gateways[0]?.kill();
    if (index === (2 * POSTS_MEANWHILE) / 3) void gateways[1]?.kill();
  }
  isWritten = true;
  for (const { texts, used } of await Promise.all(reading)) {
    // One person's posts may be told in another order than they were written in.
    expect(texts.toSorted()).toEqual(written.toSorted());
    expect(used).toContain(gateways[2]?.url);
  }
});
