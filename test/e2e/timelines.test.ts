import { createPrismaClient } from '@stratos/prisma';
import { parseStub } from '@stratos/protocol';
import { com, zone } from '@stratos/protocol/lexicons';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  DEMO_ACCOUNTS,
  DEMO_POSTS,
  type LocalNetwork,
  procedure,
  startLocalNetwork,
} from '../network/src/index.ts';
import { eventually } from './eventually.ts';
import { graphql, SURFACES } from './surfaces.ts';

let network: LocalNetwork;
let gateway: string;
const tokens = new Map<string, string>();
const tokenOf = (handle: string) => tokens.get(handle) ?? '';

beforeAll(async () => {
  network = await startLocalNetwork({ ephemeral: true, ports: 'free' });
  gateway = network.topology.gateway.url;
  for (const { handle } of DEMO_ACCOUNTS) {
    tokens.set(handle, (await network.gatewaySession(handle)).token);
  }
});
afterAll(() => network?.[Symbol.asyncDispose]());

/** What an account must see: every demo post of its communities, newest first. */
function expectedTexts(handle: string): string[] {
  const mine = DEMO_ACCOUNTS.find((account) => account.handle === handle)?.boundaries ?? [];
  return DEMO_POSTS.filter(({ boundary }) => mine.includes(boundary)).map(({ text }) => text);
}

describe.each(SURFACES)('over $name', (surface) => {
  it.each(DEMO_ACCOUNTS)(
    '$handle sees the posts of its communities and nothing else',
    async ({ handle }) => {
      const seen = await surface.timeline(gateway, tokenOf(handle));
      expect(seen.map(({ text }) => text).reverse()).toEqual(expectedTexts(handle));
      for (const { text, author } of seen) {
        expect(author).toBe(DEMO_POSTS.find((post) => post.text === text)?.author);
      }
    },
  );

  it('pages through the same timeline, whatever the size of a page', async () => {
    const whole = await surface.timeline(gateway, tokenOf('haruki.test'));
    for (const size of [1, 2, 3, 7]) {
      expect(await surface.timeline(gateway, tokenOf('haruki.test'), size)).toEqual(whole);
    }
  });

  it('gives a post to its readers alone', async () => {
    const [fog] = (await surface.timeline(gateway, tokenOf('haruki.test'))).filter(({ text }) =>
      text.includes('Fog'),
    );
    expect(fog?.boundaries).toEqual([network.boundary('sailors')]);
    expect(await surface.post(gateway, tokenOf('haruki.test'), fog?.uri ?? '')).toEqual(fog);
    expect(await surface.post(gateway, tokenOf('rei.test'), fog?.uri ?? '')).toBeUndefined();
    expect(await surface.post(gateway, tokenOf('mika.test'), fog?.uri ?? '')).toBeUndefined();
  });
});

describe('hidden and absent', () => {
  const absentUri = () =>
    `at://${network.account('haruki.test').did}/${zone.stratos.feed.post.$nsid}/3kzzzzzzzzz2z`;
  const hiddenUri = async () => {
    const mine = await SURFACES[0]?.timeline(gateway, tokenOf('haruki.test'));
    return mine?.find(({ text }) => text.includes('Fog'))?.uri ?? '';
  };

  /** The answer without what differs between any two requests. */
  async function raw(url: string | URL, init: RequestInit = {}) {
    const response = await fetch(url, init);
    const headers = [...response.headers].filter(([name]) => !/^(date|x-request-id)$/.test(name));
    return { status: response.status, headers, body: await response.text() };
  }

  it('are answered alike, byte for byte', async () => {
    const hidden = await hiddenUri();
    expect(hidden).toMatch(/^at:/);
    const authorization = `Bearer ${tokenOf('rei.test')}`;
    const ask: Record<string, (uri: string) => Promise<unknown>> = {
      xrpc: (uri) => {
        const url = new URL(`/xrpc/${zone.stratos.feed.getPost.$nsid}`, gateway);
        url.searchParams.set('uri', uri);
        return raw(url, { headers: { authorization } });
      },
      trpc: (uri) => {
        const url = new URL('/trpc/post', gateway);
        url.searchParams.set('input', JSON.stringify({ uri }));
        return raw(url, { headers: { authorization } });
      },
      graphql: (uri) =>
        raw(new URL('/graphql', gateway), {
          method: 'POST',
          headers: { authorization, 'content-type': 'application/json' },
          body: JSON.stringify({
            query: 'query ($uri: AtUri!) { post(uri: $uri) { uri text boundaries { name } } }',
            variables: { uri },
          }),
        }),
    };
    for (const [surface, answer] of Object.entries(ask)) {
      expect(await answer(hidden), surface).toEqual(await answer(absentUri()));
    }
  });
});

describe('an anonymous caller', () => {
  it('is refused on every surface', async () => {
    const xrpc = await fetch(`${gateway}/xrpc/${zone.stratos.feed.getTimeline.$nsid}`);
    expect(xrpc.status).toBe(401);
    expect(await xrpc.json()).toMatchObject({ error: 'AuthRequired' });

    const trpc = await fetch(`${gateway}/trpc/timeline?input=${encodeURIComponent('{}')}`);
    expect(trpc.status).toBe(401);

    const { text } = await graphql(gateway, undefined, {
      query: '{ timeline { edges { cursor } } }',
    });
    expect(JSON.parse(text).errors[0].extensions.code).toBe('UNAUTHENTICATED');
  });
});

describe('a service-auth token from the PDS', () => {
  it('is good for one call of its method', async () => {
    const lxm = zone.stratos.feed.getTimeline.$nsid;
    const token = await network.serviceAuth('rei.test', {
      audience: network.topology.gateway.did,
      lxm,
    });
    const call = (nsid: string) =>
      fetch(`${gateway}/xrpc/${nsid}`, { headers: { authorization: `Bearer ${token}` } });
    expect((await call(zone.stratos.feed.getAuthorFeed.$nsid)).status).not.toBe(200);
    const first = await call(lxm);
    expect(first.status).toBe(200);
    const { feed } = (await first.json()) as zone.stratos.feed.getTimeline.$OutputBody;
    expect(feed.length).toBe(expectedTexts('rei.test').length);
    expect((await call(lxm)).status).toBe(401);
  });
});

describe('a post', () => {
  it('travels from a person to the readers, and leaves a stub without its words on the PDS', async () => {
    const text = 'The anvil moved a finger’s breadth in the night.';
    const { uri, cid } = await network.post('sakura.test', ['swordsmith'], text);
    for (const surface of SURFACES) {
      const seen = await eventually(async () => {
        const [newest] = await surface.timeline(gateway, tokenOf('rei.test'), 1);
        expect(newest?.uri).toBe(uri);
        return newest;
      });
      expect(seen).toEqual({
        uri,
        cid,
        author: 'sakura.test',
        text,
        boundaries: [network.boundary('swordsmith')],
      });
    }
    const { did, pds } = network.account('sakura.test');
    const stub = await eventually(async () => {
      const [rkey = ''] = uri.split('/').slice(-1);
      const collection = zone.stratos.feed.post.$nsid;
      return (await pds.com.atproto.repo.getRecord({ repo: did, collection, rkey })).data.value;
    });
    expect(parseStub(stub)).toEqual({ uri, cid, nodeDid: network.topology.nodes.swordsmith.did });
    expect(JSON.stringify(stub)).not.toContain('anvil');
  });

  it('moves to another community with all that was said, and leaves nothing behind', async () => {
    const { did } = network.account('rei.test');
    const [swordsmith, aekea] = [network.boundary('swordsmith'), network.boundary('aekea')];
    await network.nodes.swordsmith.addBoundary(did, aekea);
    const { uri } = await network.post('rei.test', ['swordsmith'], 'Said in the wrong room.');
    const [surface] = SURFACES;
    const seenBy = (handle: string) => surface?.post(gateway, tokenOf(handle), uri);
    await eventually(async () => expect(await seenBy('sakura.test')).toBeDefined());
    expect(await seenBy('kaoruko.test')).toBeUndefined();

    const node = network.topology.nodes.swordsmith;
    const lxm = com.atproto.repo.putRecord.$lxm;
    const token = await network.serviceAuth('rei.test', { audience: node.did, lxm });
    const collection = zone.stratos.feed.post.$nsid;
    const boundary = {
      $type: zone.stratos.boundary.defs.Domains.$type,
      values: [{ value: aekea }],
    };
    const createdAt = new Date().toISOString();
    const record = { $type: collection, text: 'Said in the right room.', boundary, createdAt };
    const { cid } = await procedure<{ cid: string }>(
      node.url,
      lxm,
      { repo: did, collection, rkey: uri.split('/').at(-1), record },
      { authorization: `Bearer ${token}` },
    );
    await eventually(async () => {
      expect(await seenBy('kaoruko.test')).toMatchObject({ cid, text: 'Said in the right room.' });
    });
    expect(await seenBy('sakura.test')).toBeUndefined();
    const left = await surface?.timeline(gateway, tokenOf('sakura.test'));
    expect(JSON.stringify(left)).not.toContain('room.');
    expect(left?.every(({ boundaries }) => boundaries.includes(swordsmith))).toBe(true);
    await network.nodes.swordsmith.removeBoundary(did, aekea);
  });

  it('disappears everywhere when it is deleted', async () => {
    const { uri } = await network.post('rei.test', ['swordsmith'], 'I will regret this one.');
    const [surface] = SURFACES;
    await eventually(async () => {
      expect(await surface?.post(gateway, tokenOf('sakura.test'), uri)).toBeDefined();
    });
    const node = network.topology.nodes.swordsmith;
    const lxm = com.atproto.repo.deleteRecord.$lxm;
    const { did } = network.account('rei.test');
    const rkey = uri.split('/').at(-1) ?? '';
    const response = await fetch(`${node.url}/xrpc/${lxm}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await network.serviceAuth('rei.test', { audience: node.did, lxm })}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ repo: did, collection: zone.stratos.feed.post.$nsid, rkey }),
    });
    expect(response.status).toBe(200);
    await eventually(async () => {
      expect(await surface?.post(gateway, tokenOf('sakura.test'), uri)).toBeUndefined();
      expect(await surface?.post(gateway, tokenOf('rei.test'), uri)).toBeUndefined();
    });
    await eventually(async () => {
      const collection = zone.stratos.feed.post.$nsid;
      const stub = network
        .account('rei.test')
        .pds.com.atproto.repo.getRecord({ repo: did, collection, rkey });
      await expect(stub).rejects.toThrow();
    });
  });

  it('is not served when the AppView’s copy was altered behind our back', async () => {
    const { uri } = await network.post('rei.test', ['swordsmith'], 'The true words.');
    for (const surface of SURFACES) {
      await eventually(async () => {
        expect((await surface.post(gateway, tokenOf('sakura.test'), uri))?.text).toBe(
          'The true words.',
        );
      });
    }
    const prisma = createPrismaClient(network.databaseUrl);
    try {
      const { record } = await prisma.post.findFirstOrThrow({ where: { uri } });
      const forged = Buffer.from(
        Buffer.from(record).toString('latin1').replace('true', 'dire'),
        'latin1',
      );
      await prisma.post.updateMany({ where: { uri }, data: { record: forged } });
      for (const surface of SURFACES) {
        const timeline = await surface.timeline(gateway, tokenOf('sakura.test'));
        expect(timeline.map(({ text }) => text)).not.toContain('The dire words.');
      }
      // What a gateway has verified it goes on showing; one that starts has nothing.
      await network.service('gateway').kill('SIGKILL');
      await network.service('gateway').start();
      for (const surface of SURFACES) {
        expect(await surface.post(gateway, tokenOf('sakura.test'), uri)).toBeUndefined();
        const timeline = await surface.timeline(gateway, tokenOf('sakura.test'));
        expect(timeline.map((post) => post.uri)).not.toContain(uri);
        expect(timeline.length).toBeGreaterThan(0);
      }
      await prisma.post.updateMany({ where: { uri }, data: { record } });
    } finally {
      await prisma.$disconnect();
    }
    await eventually(async () => {
      expect(await SURFACES[0]?.post(gateway, tokenOf('sakura.test'), uri)).toBeDefined();
    });
  });
});
