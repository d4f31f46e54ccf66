import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalNetwork, startLocalNetwork } from '../network/src/index.ts';
import { eventually } from './eventually.ts';
import { SURFACES } from './surfaces.ts';

const LEASE_SECONDS = 5;
/** Promised is a second; more here, so that a busy machine does not fail what is no fault. */
const REVOCATION_BOUND_MS = 5_000;

let network: LocalNetwork;
let gateway: string;

beforeAll(async () => {
  network = await startLocalNetwork({
    ephemeral: true,
    ports: 'free',
    heartbeatIntervalMs: 500,
    leaseSeconds: LEASE_SECONDS,
  });
  gateway = network.topology.gateway.url;
});
afterAll(() => network?.[Symbol.asyncDispose]());

const [graphql] = SURFACES;

async function texts(handle: string): Promise<string[]> {
  const { token } = await network.gatewaySession(handle);
  return (await graphql?.timeline(gateway, token))?.map(({ text }) => text) ?? [];
}

async function boundariesSeen(handle: string): Promise<Set<string>> {
  const { token } = await network.gatewaySession(handle);
  const posts = (await graphql?.timeline(gateway, token)) ?? [];
  return new Set(posts.flatMap(({ boundaries }) => boundaries));
}

/** Writes posts one after the other while `during` runs; returns the texts of those acknowledged. */
async function writeWhile(label: string, during: () => Promise<void>): Promise<string[]> {
  const acknowledged: string[] = [];
  let running = true;
  const writer = (async () => {
    for (let i = 0; running; i++) {
      const text = `${label} ${i}`;
      await network.post('rei.test', ['swordsmith'], text).then(
        () => acknowledged.push(text),
        () => delay(50),
      );
    }
  })();
  await during();
  running = false;
  await writer;
  return acknowledged;
}

describe('removal from a boundary', () => {
  it('shows at once, and nothing that comes after is seen', async () => {
    const { did } = network.account('sakura.test');
    const boundary = network.boundary('swordsmith');
    expect(await boundariesSeen('sakura.test')).toContain(boundary);
    const { token } = await network.gatewaySession('sakura.test');

    await network.nodes.swordsmith.removeBoundary(did, boundary);
    await eventually(async () => {
      for (const surface of SURFACES) expect(await surface.timeline(gateway, token)).toEqual([]);
    }, REVOCATION_BOUND_MS);

    await network.post('rei.test', ['swordsmith'], 'Said after she was gone.');
    await eventually(async () => {
      expect(await texts('rei.test')).toContain('Said after she was gone.');
    });
    expect(await texts('sakura.test')).toEqual([]);
    expect(await texts('haruki.test')).toContain('Said after she was gone.');

    await network.nodes.swordsmith.addBoundary(did, boundary);
    await eventually(async () => {
      expect(await texts('sakura.test')).toContain('Said after she was gone.');
    });
  });
});

describe('a node killed with SIGKILL', () => {
  it('loses its boundary when the lease ends, harms nobody else, and comes back by itself', async () => {
    const sailors = network.boundary('sailors');
    const swordsmith = network.boundary('swordsmith');
    await network.post('haruki.test', ['sailors'], 'The last thing said before the storm.');
    await eventually(async () => {
      expect(await texts('haruki.test')).toContain('The last thing said before the storm.');
    });
    const before = await texts('haruki.test');

    await network.service('sailors').kill('SIGKILL');
    await eventually(
      async () => {
        expect(await boundariesSeen('haruki.test')).toEqual(new Set([swordsmith]));
      },
      (LEASE_SECONDS + 4) * 1000,
    );
    await network.post('rei.test', ['swordsmith'], 'The forge goes on.');
    await eventually(async () => {
      expect(await texts('haruki.test')).toContain('The forge goes on.');
    });

    await network.service('sailors').start();
    await eventually(async () => {
      expect(await boundariesSeen('haruki.test')).toEqual(new Set([swordsmith, sailors]));
    });
    expect(await texts('haruki.test')).toEqual(['The forge goes on.', ...before]);
  });
});

describe.each(['indexer', 'gateway', 'swordsmith'] as const)(
  '%s killed with SIGKILL in the middle of writes',
  (name) => {
    it('loses nothing that was acknowledged, and doubles nothing', async () => {
      const label = `While ${name} dies`;
      const acknowledged = await writeWhile(label, async () => {
        await delay(500);
        await network.service(name).kill('SIGKILL');
        await delay(500);
        await network.service(name).start();
        await delay(500);
      });
      expect(acknowledged.length).toBeGreaterThan(3);
      await eventually(async () => {
        const seen = (await texts('haruki.test'))
          .filter((text) => text.startsWith(label))
          .reverse();
        expect(seen.filter((text) => acknowledged.includes(text))).toEqual(acknowledged);
        expect(new Set(seen).size).toBe(seen.length);
      });
    });
  },
);
