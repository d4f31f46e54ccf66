import { readFile } from 'node:fs/promises';
import { zone } from '@stratos/protocol/lexicons';
import type { AxeResults } from 'axe-core';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalNetwork, startLocalNetwork } from '../network/src/index.ts';
import { allow, launchBrowser, signIn } from './web-page.ts';

/** The smallest picture there is: one pixel. */
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

let network: LocalNetwork;
let browser: Browser;
/** Those who have the web app open, each in a browser of their own. */
const open = new Map<string, Page>();
const flaws: string[] = [];

beforeAll(async () => {
  network = await startLocalNetwork({ ephemeral: true, ports: 'free', webApp: true });
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  await network?.[Symbol.asyncDispose]();
});

/** The page of somebody who has signed in through their PDS. */
async function pageOf(handle: string): Promise<Page> {
  const known = open.get(handle);
  if (known) return known;
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 } });
  const page = await watched(context, handle);
  await signIn(page, network.topology.gateway.url, handle);
  open.set(handle, page);
  return page;
}

/** A page whose errors, and requests to elsewhere, are remembered. */
async function watched(context: BrowserContext, handle: string): Promise<Page> {
  const page = await context.newPage();
  page.on('pageerror', ({ message }) => flaws.push(`${handle}: ${message}`));
  page.on('console', (message) => {
    // @NOTE 401 is how a server asks for a DPoP nonce, and browsers write each down as an error
    const isOurs = page.url().includes('/app/') && !/status of 40[01]/.test(message.text());
    if (message.type() === 'error' && isOurs) flaws.push(`${handle}: ${message.text()}`);
  });
  page.on('request', (request) => {
    const { protocol, hostname } = new URL(request.url());
    const isHere = protocol === 'blob:' || ['localhost', '127.0.0.1'].includes(hostname);
    if (!isHere) flaws.push(`${handle}: asked ${hostname}`);
  });
  return page;
}

/** What axe-core finds wrong with a page, in both themes. */
async function barriers(page: Page): Promise<string[]> {
  const axe = await readFile(new URL(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
  await page.evaluate(axe);
  const found: string[] = [];
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    const { violations } = await page.evaluate<AxeResults>('axe.run()');
    const describe = ({ id, nodes }: AxeResults['violations'][number]) =>
      `${colorScheme}: ${id} at ${nodes.map(({ html }) => html).join(', ')}`;
    found.push(...violations.map(describe));
  }
  return found;
}

function post(page: Page, text: string) {
  return page.getByRole('article').filter({ hasText: text });
}

describe('the web app', () => {
  it('offers handles to whoever types one', async () => {
    const page = await watched(await browser.newContext(), 'nobody');
    await page.goto(`${network.topology.gateway.url}/app/`);
    const field = page.getByLabel('Your handle');
    await field.fill('sa');
    await page.getByRole('option', { name: 'sakura.test' }).waitFor();
    await field.press('ArrowDown');
    await field.press('Enter');
    expect(await field.inputValue()).toBe('sakura.test');
    await page.close();
  });

  it('says so when nobody answers, and tries again', async () => {
    const page = await browser.newPage();
    await page.route('**/config.json', (route) => route.abort());
    await page.goto(`${network.topology.gateway.url}/app/`);
    await page.getByRole('heading', { name: 'Nobody answers' }).waitFor();
    await page.unroute('**/config.json');
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByLabel('Your handle').waitFor();
    await page.close();
  });

  it('shows each person the posts of their communities and no others', async () => {
    const rei = await pageOf('rei.test');
    await post(rei, 'New charcoal came in').waitFor();
    const kaoruko = await pageOf('kaoruko.test');
    await post(kaoruko, 'The shelf is up').waitFor();
    expect(await post(kaoruko, 'New charcoal came in').count()).toBe(0);
    expect(await post(rei, 'The shelf is up').count()).toBe(0);
  });

  it('brings a post with an image to members who have it open, and to nobody else', async () => {
    const [rei, sakura, kaoruko] = [
      await pageOf('rei.test'),
      await pageOf('sakura.test'),
      await pageOf('kaoruko.test'),
    ];
    await post(sakura, 'New charcoal came in').waitFor();
    await rei.getByRole('button', { name: 'Write', exact: true }).click();
    const composer = rei.getByRole('dialog', { name: 'New post' });
    await composer.getByLabel('What you write').fill('The new anvil stands. #forge 🔨');
    await composer.getByText('Only members of swordsmith').waitFor();
    await composer
      .getByLabel('Picture')
      .setInputFiles({ name: 'anvil.png', mimeType: 'image/png', buffer: PNG });
    await composer.getByLabel('What it shows').fill('An anvil on a block of oak');
    await composer.getByRole('button', { name: 'Post', exact: true }).click();
    await rei.getByRole('button', { name: 'Post now' }).click();

    await sakura.getByRole('button', { name: '1 new post' }).click();
    const seen = post(sakura, 'The new anvil stands');
    await seen.getByRole('img', { name: 'An anvil on a block of oak' }).waitFor();
    expect(
      await seen
        .getByRole('img', { name: 'An anvil on a block of oak' })
        .evaluate((image) => image instanceof HTMLImageElement && image.naturalWidth),
    ).toBe(1);

    await seen.getByRole('button', { name: 'Reply to rei.test' }).click();
    const reply = sakura.getByRole('dialog', { name: 'Reply' });
    await reply.getByLabel('What you write').fill('May it ring for a hundred years.');
    await reply.getByRole('button', { name: 'Reply', exact: true }).click();
    await sakura.getByRole('button', { name: 'Post now' }).click();
    await rei.getByRole('button', { name: '1 new post' }).click();
    await post(rei, 'May it ring').waitFor();

    await network.post('kaoruko.test', ['aekea'], 'A drawer for the bolts.');
    await post(kaoruko, 'A drawer for the bolts').waitFor();
    expect(await kaoruko.content()).not.toMatch(/anvil|May it ring/);
  });

  it('shows a conversation, and an edit in it', async () => {
    const [rei, sakura] = [await pageOf('rei.test'), await pageOf('sakura.test')];
    await post(sakura, 'The new anvil stands').locator('time').click();
    await sakura.getByRole('heading', { name: 'Conversation' }).waitFor();
    await post(sakura, 'May it ring').waitFor();
    await post(rei, 'The new anvil stands').getByRole('button', { name: 'Edit' }).click();
    const composer = rei.getByRole('dialog', { name: 'Edit post' });
    await composer.getByLabel('What you write').fill('The new anvil stands, and it sings.');
    await composer.getByRole('button', { name: 'Save' }).click();
    await post(rei, 'and it sings').getByText('Saving').waitFor({ state: 'detached' });
    await post(sakura, 'and it sings').waitFor();
    await post(sakura, 'May it ring').waitFor();
  });

  it('takes a deleted post from all screens', async () => {
    const [rei, sakura, haruki] = [
      await pageOf('rei.test'),
      await pageOf('sakura.test'),
      await pageOf('haruki.test'),
    ];
    await post(haruki, 'and it sings').waitFor();
    await post(rei, 'and it sings').getByRole('button', { name: 'Delete' }).click();
    await post(rei, 'and it sings').waitFor({ state: 'detached' });
    await post(haruki, 'and it sings').waitFor({ state: 'detached' });
    await sakura.getByText('There is no such post for you').waitFor();
    await sakura.getByRole('link', { name: 'Home', exact: true }).click();
    await post(sakura, 'May it ring').waitFor();
    expect(await sakura.content()).not.toContain('and it sings');
  });

  it('takes a post back before anybody sees it', async () => {
    const rei = await pageOf('rei.test');
    await rei.getByRole('button', { name: 'Write', exact: true }).click();
    await rei.getByLabel('What you write').fill('Hasty words.');
    await rei.getByRole('button', { name: 'Post', exact: true }).click();
    await rei.getByRole('button', { name: 'Undo' }).click();
    expect(await rei.getByLabel('What you write').inputValue()).toBe('Hasty words.');
    await rei.getByLabel('What you write').fill('');
    await rei.getByRole('button', { name: 'Close' }).click();
    // As long as it would have been held.
    await rei.waitForTimeout(5_500);
    await network.post('rei.test', ['swordsmith'], 'Calm words.');
    await post(rei, 'Calm words').waitFor();
    expect(await rei.content()).not.toContain('Hasty words');
  });

  it('never lets a post go without readers', async () => {
    const haruki = await pageOf('haruki.test');
    await haruki.getByRole('button', { name: 'Write', exact: true }).click();
    await haruki.getByLabel('What you write').fill('To whom?');
    const send = haruki.getByRole('button', { name: 'Post', exact: true });
    expect(await send.isDisabled()).toBe(true);
    await haruki.getByRole('checkbox', { name: 'sailors' }).check();
    expect(await send.isEnabled()).toBe(true);
    expect(await haruki.getByRole('checkbox', { name: 'swordsmith' }).isDisabled()).toBe(true);
    await haruki.getByLabel('What you write').fill('a'.repeat(301));
    expect(await send.isDisabled()).toBe(true);
    await haruki.getByLabel('What you write').fill('');
    await haruki.getByRole('button', { name: 'Close' }).click();
  });

  it('reads on as one scrolls', async () => {
    const haruki = await pageOf('haruki.test');
    await haruki.getByRole('link', { name: 'sailors' }).first().click();
    await post(haruki, 'Left at four').waitFor();
    for (let mile = 1; mile <= 25; mile += 1) {
      await network.post('haruki.test', ['sailors'], `Mile ${mile}.`);
    }
    await post(haruki, 'Mile 25.').waitFor();
    await haruki.reload();
    await post(haruki, 'Mile 25.').waitFor();
    expect(await post(haruki, 'Left at four').count()).toBe(0);
    await post(haruki, 'Mile 25.').hover();
    await haruki.mouse.wheel(0, 20_000);
    await post(haruki, 'Left at four').waitFor();
    expect(await post(haruki, 'Mile ').count()).toBe(25);
  });

  it('finds words and people', async () => {
    const rei = await pageOf('rei.test');
    await rei.getByRole('link', { name: 'Search', exact: true }).click();
    await rei.getByLabel('Words').fill('cracked blade');
    await rei.getByRole('button', { name: 'Search', exact: true }).click();
    await post(rei, 'My third blade cracked').getByRole('link', { name: 'haruki.test' }).click();
    await rei.getByRole('heading', { name: 'haruki.test' }).first().waitFor();
    await rei.getByText('You read them in').waitFor();
    expect(await rei.content()).not.toContain('Fog so thick');
  });

  it('proves a post in the browser, and names the step that a lie breaks', async () => {
    const rei = await pageOf('rei.test');
    await post(rei, 'My third blade cracked')
      .getByRole('link', { name: 'Check the proof' })
      .click();
    await rei.getByText('This is what its author signed').waitFor();
    expect(await rei.getByText('Proven', { exact: true }).count()).toBe(5);
    await rei.route('**/trpc/postProof**', async (route) => {
      const response = await route.fetch();
      const body = await response.text();
      await route.fulfill({
        response,
        body: body.replace(
          /"signingKey":"did:key:z[^"]*"/,
          '"signingKey":"did:key:zDnaeTiq1PdzvZXUaMdezchcMJQpBdH2VN4pgrrEhMCCbmwSb"',
        ),
      });
    });
    await rei.getByRole('button', { name: 'Check again' }).click();
    await rei.getByText('This proof does not hold').waitFor();
    await rei.getByText('Failed: the author’s key signed it').waitFor();
    await rei.unroute('**/trpc/postProof**');
  });

  it('keeps nobody out', async () => {
    const rei = await pageOf('rei.test');
    const seen: Record<string, string[]> = { inspector: await barriers(rei) };
    await rei.getByRole('link', { name: 'Communities', exact: true }).click();
    await rei.getByText('You are enrolled', { exact: true }).waitFor();
    seen['communities'] = await barriers(rei);
    await rei.getByRole('link', { name: 'Home', exact: true }).click();
    await post(rei, 'May it ring').waitFor();
    seen['home'] = await barriers(rei);
    await rei.setViewportSize({ width: 390, height: 844 });
    seen['home on a phone'] = await barriers(rei);
    await rei.keyboard.press('n');
    await rei.getByRole('dialog', { name: 'New post' }).waitFor();
    seen['composer'] = await barriers(rei);
    await rei.keyboard.press('Escape');
    await post(rei, 'My third blade').locator('time').click();
    await rei.getByRole('heading', { name: 'Conversation' }).waitFor();
    seen['thread'] = await barriers(rei);
    expect(Object.entries(seen).filter(([, found]) => found.length > 0)).toEqual([]);
  });

  it('says so when it is offline, and goes on', async () => {
    const rei = await pageOf('rei.test');
    await rei.context().setOffline(true);
    await rei.getByText('You are offline').waitFor();
    await rei.context().setOffline(false);
    await rei.getByText('You are offline').waitFor({ state: 'detached' });
  });

  it('loses a community the moment that somebody is removed from it', async () => {
    const [sakura, haruki] = [await pageOf('sakura.test'), await pageOf('haruki.test')];
    await haruki.getByRole('link', { name: 'Home', exact: true }).click();
    await haruki.getByRole('link', { name: 'All', exact: true }).click();
    await network.post('haruki.test', ['swordsmith'], 'Sparks tonight.');
    await post(haruki, 'Sparks tonight').waitFor();
    await post(sakura, 'May it ring').waitFor();
    for (const handle of ['sakura.test', 'haruki.test']) {
      await network.nodes.swordsmith.setBoundaries(network.account(handle).did, []);
    }
    await sakura.getByText('You are in no community yet').waitFor();
    expect(await sakura.content()).not.toContain('May it ring');
    await post(haruki, 'Sparks tonight').waitFor({ state: 'detached' });
    expect(await haruki.getByRole('main').innerText()).not.toContain('swordsmith');
    await post(haruki, 'Mile 25.').waitFor();
  });

  it('enrolls somebody, and unenrolls them', async () => {
    const mika = await pageOf('mika.test');
    await mika.getByRole('link', { name: 'See the nodes' }).click();
    const host = new URL(network.topology.nodes.swordsmith.url).host;
    const card = mika.getByRole('article', { name: host });
    await card.getByRole('link', { name: 'Enroll' }).click();
    await allow(mika);
    await mika.waitForURL(/\/app\//);
    await card.getByText('You are enrolled', { exact: true }).waitFor();
    const { did: repo, pds } = network.account('mika.test');
    const collection = zone.stratos.actor.enrollment.$nsid;
    const rkey = network.topology.nodes.swordsmith.did.replaceAll('%3A', ':');
    await pds.com.atproto.repo.deleteRecord({ repo, collection, rkey });
    await mika.reload();
    await card.getByText('your PDS has no record of it').waitFor();
    await card.getByRole('link', { name: 'Enroll once more' }).waitFor();
    await card.getByRole('button', { name: 'Unenroll' }).click();
    await mika.getByRole('dialog').getByRole('button', { name: 'Unenroll' }).click();
    await card.getByText('You are not enrolled', { exact: true }).waitFor();
  });

  it('forgets everything with the sign-out', async () => {
    const kaoruko = await pageOf('kaoruko.test');
    await kaoruko.getByRole('button', { name: 'Sign out' }).click();
    await kaoruko.getByLabel('Your handle').waitFor();
    await kaoruko.reload();
    await kaoruko.getByLabel('Your handle').waitFor();
    expect(await kaoruko.content()).not.toContain('The shelf is up');
  });

  it('had no errors, and asked nobody elsewhere', () => {
    expect(flaws).toEqual([]);
  });
});
