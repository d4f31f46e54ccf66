import { join } from 'node:path';
import chromium from '@sparticuz/chromium';
import { type PostProof, type PostProofVerdict, verifyPostProof } from '@stratos/client';
import { zone } from '@stratos/protocol/lexicons';
import playwright from 'playwright-core';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  DEMO_ACCOUNTS,
  DEMO_POSTS,
  type LocalNetwork,
  query,
  startLocalNetwork,
} from '../network/src/index.ts';
import { type SeenPost, SURFACES } from './surfaces.ts';

const CLIENT = join(import.meta.dirname, '../../clients/stratos/src/index.ts');
const VIEWER = 'haruki.test';

let network: LocalNetwork;
let gateway: string;
const tokens = new Map<string, string>();
const tokenOf = (handle: string) => tokens.get(handle) ?? '';

beforeAll(async () => {
  network = await startLocalNetwork({
    ephemeral: true,
    ports: 'free',
    leaseSeconds: 300,
    env: { gateway: { GATEWAY_CONTENT: 'hydrate' } },
  });
  gateway = network.topology.gateway.url;
  for (const { handle } of DEMO_ACCOUNTS) {
    tokens.set(handle, (await network.gatewaySession(handle)).token);
  }
});
afterAll(() => network?.[Symbol.asyncDispose]());

const textsFor = (handle: string, boundaries: readonly string[]) => {
  const mine: readonly string[] =
    DEMO_ACCOUNTS.find((one) => one.handle === handle)?.boundaries ?? [];
  const isSeen = ({ boundary }: { boundary: string }) =>
    mine.includes(boundary) && boundaries.includes(boundary);
  return DEMO_POSTS.filter(isSeen).map(({ text }) => text);
};
const textsOf = (seen: SeenPost[]) => seen.map(({ text }) => text).reverse();

describe.each(SURFACES)('with contents from the nodes, over $name', (surface) => {
  it.each(DEMO_ACCOUNTS)(
    '$handle sees what they see with contents from the database',
    async ({ handle, boundaries }) => {
      const seen = await surface.timeline(gateway, tokenOf(handle));
      expect(textsOf(seen)).toEqual(textsFor(handle, boundaries));
      for (const post of seen) {
        expect(await surface.post(gateway, tokenOf(handle), post.uri)).toEqual(post);
      }
    },
  );
});

describe('the proof of a post', () => {
  async function proven() {
    const [post] = await timeline();
    if (!post) throw new Error('there is no post');
    const { uri, cid } = post;
    const answer = await query<{ proof: PostProof }>(
      gateway,
      zone.stratos.feed.getPostProof.$nsid,
      {
        params: { uri },
        authorization: `Bearer ${tokenOf(post.author)}`,
      },
    );
    const { proof } = answer;
    const { url } =
      Object.values(network.topology.nodes).find(({ did }) => did === proof.node) ?? {};
    const node = await (await fetch(`${url}/.well-known/did.json`)).json();
    return { text: post.text, proof, options: { node, expect: { uri, cid } } };
  }
  const holds: Partial<PostProofVerdict> = {
    isProven: true,
    record: 'proven',
    inclusion: 'proven',
    commit: 'proven',
    membership: 'proven',
  };

  it('is checked by the client library, with the DID document of the node alone', async () => {
    const { proof, options, text } = await proven();
    const verdict = await verifyPostProof(proof, options);
    expect(verdict).toMatchObject({ ...holds, value: { text } });
  });

  it('is checked by it in a browser, too', async () => {
    const { proof, options, text } = await proven();
    await using bundle = await rolldown({ input: CLIENT, platform: 'browser', logLevel: 'silent' });
    const { output } = await bundle.generate({ format: 'iife', name: 'stratos', minify: true });
    await using browser = await playwright.chromium.launch({
      executablePath: await chromium.executablePath(),
      args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-zygote'],
      headless: true,
    });
    const page = await browser.newPage();
    await page.addInitScript({ content: `${output[0].code};globalThis.stratos = stratos;` });
    await page.goto(`${gateway}/health`);
    const verify = (given: Partial<PostProof>) =>
      page.evaluate(
        async ([proof, options]) => {
          const { stratos } = globalThis as unknown as {
            stratos: typeof import('@stratos/client');
          };
          return stratos.verifyPostProof(proof, options);
        },
        [{ ...proof, ...given }, options] as const,
      );
    expect(await verify({})).toMatchObject({ ...holds, value: { text } });
    const { commit } = proof;
    expect(await verify({ record: commit })).toMatchObject({ isProven: false, record: 'failed' });
  });
});

describe('a node that is dead', () => {
  it('is missing from a page that comes all the same, on all surfaces', async () => {
    const sailors = network.boundary('sailors');
    const lost = (await timeline()).find(({ boundaries }) => boundaries.includes(sailors));
    await network.service('sailors').kill('SIGKILL');
    // What a gateway has in memory it goes on showing; one that starts has nothing.
    await network.service('gateway').kill('SIGKILL');
    await network.service('gateway').start();
    for (const surface of SURFACES) {
      const seen = await surface.timeline(gateway, tokenOf(VIEWER));
      expect(textsOf(seen)).toEqual(textsFor(VIEWER, ['swordsmith', 'aekea']));
      expect(await surface.post(gateway, tokenOf(VIEWER), lost?.uri ?? '')).toBeUndefined();
    }
  });
});

/** What the viewer sees, the newest first. */
async function timeline(): Promise<SeenPost[]> {
  const [surface] = SURFACES;
  return surface ? surface.timeline(gateway, tokenOf(VIEWER)) : [];
}
