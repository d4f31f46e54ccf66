import { AtpAgent } from '@atproto/api';
import chromium from '@sparticuz/chromium';
import { startTestGateway, type TestGateway } from '@stratos/gateway/testing';
import { toBoundary, toDid } from '@stratos/protocol';
import playwright, { type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startThrowawayAtproto, type ThrowawayAtproto } from '../network/src/throwaway-atproto.ts';

const node = toDid('did:web:node.test');
const TEXT = 'quench when the steel is cherry red';

let atproto: ThrowawayAtproto;
let gateway: TestGateway;
let browser: Browser;

beforeAll(async () => {
  atproto = await startThrowawayAtproto();
  gateway = await startTestGateway({
    STRATOS_PLC_URL: atproto.plcUrl,
    GATEWAY_DEMO_PDS_URL: atproto.pdsUrl,
    GATEWAY_DEMO_ACCOUNTS: 'rei.test:password',
  });
  const agent = new AtpAgent({ service: atproto.pdsUrl });
  const name = { handle: 'rei.test', email: 'rei@example.test', password: 'password' };
  await agent.createAccount(name);
  const author = toDid(agent.assertDid);
  const boundaries = [toBoundary(`${node}/swordsmith`)];
  await gateway.world.node(node);
  await gateway.world.actor(author, { handle: 'rei.test' });
  await gateway.world.member(author, node, boundaries);
  await gateway.world.post({ author, node, boundaries, rkey: 'first', text: TEXT });
  browser = await playwright.chromium.launch({
    executablePath: await chromium.executablePath(),
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-zygote'],
    headless: true,
  });
});
afterAll(async () => {
  await browser?.close();
  await gateway?.[Symbol.asyncDispose]();
  await atproto?.[Symbol.asyncDispose]();
});

/** Opens a page, and requires of it that nothing fails and nothing comes from elsewhere. */
async function visit(path: string, during: (page: Page) => Promise<void>): Promise<void> {
  const context = await browser.newContext();
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', ({ message }) => complaints.push(message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('request', (request) => {
    const { protocol, hostname } = new URL(request.url());
    const isOurs = hostname === 'localhost' || protocol === 'data:' || protocol === 'blob:';
    if (!isOurs) complaints.push(request.url());
  });
  try {
    const answer = await page.goto(`${gateway.url}${path}`);
    expect(answer?.status()).toBe(200);
    await during(page);
    expect(complaints).toEqual([]);
  } finally {
    await context.close();
  }
}

async function signIn(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'rei.test' }).click();
  await page.getByText('Signed in as rei.test').waitFor();
}

test('the front page leads to all others', async () => {
  await visit('/', async (page) => {
    for (const path of ['/graphiql', '/trpc-panel', '/lexicons', '/schema.graphql', '/ready']) {
      expect(await page.locator(`a[href="${path}"]`).count(), path).toBe(1);
    }
  });
});

test('GraphiQL answers its examples, each in a tab', async () => {
  await visit('/graphiql', async (page) => {
    const shows = (text: string) =>
      vi.waitFor(
        async () => expect(await page.locator('.result-window').innerText()).toContain(text),
        2_000,
      );
    await signIn(page);
    await vi.waitFor(() => shows('quench'), 10_000);
    for (const [tab, answer] of [
      ['Page', 'endCursor'],
      ['People', 'membership'],
      ['Live', 'StreamOpened'],
    ] as const) {
      // Tabs float for a while to where they belong, away from the pointer.
      await page.locator('.graphiql-tab-button', { hasText: tab }).dispatchEvent('click');
      // The editor takes a moment to know what is in it.
      await vi.waitFor(async () => {
        await page.getByRole('button', { name: /execute query/i }).click();
        await shows(answer);
      }, 20_000);
    }
  });
});

test('the tRPC panel asks every kind of procedure', async () => {
  await visit('/trpc-panel', async (page) => {
    const answer = page.getByRole('status', { name: 'Answer' });
    await signIn(page);
    await answer.getByText(TEXT).waitFor();
    await page.getByRole('button', { name: 'viewer' }).click();
    await page.getByRole('button', { name: 'Execute' }).click();
    await answer.getByText('"handle": "rei.test"').waitFor();
    await page.getByRole('button', { name: 'livePosts' }).click();
    await page.getByRole('button', { name: 'Execute' }).click();
    await answer.getByText('"type":"opened"').waitFor();
    await page.getByRole('button', { name: 'search' }).click();
    await page.getByLabel('Input, as JSON').fill('nonsense');
    await page.getByRole('button', { name: 'Execute' }).click();
    await answer.getByText('JSON').waitFor();
  });
});

test('the lexicons are there to be read', async () => {
  await visit('/lexicons', async (page) => {
    await page.getByRole('link', { name: 'zone.stratos.feed.searchPosts' }).click();
    expect(new URL(page.url()).hash).toBe('#zone.stratos.feed.searchPosts');
    const section = page.getByRole('region', { name: 'zone.stratos.feed.searchPosts' });
    expect(await section.innerText()).toContain(
      'The words. Without a word in it nothing is found.',
    );
    expect(await section.innerText()).toContain('InvalidCursor');
  });
});
