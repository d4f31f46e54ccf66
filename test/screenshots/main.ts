import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { launchBrowser, signIn } from '../e2e/web-page.ts';
import { startLocalNetwork } from '../network/src/index.ts';

const FOLDER = join(import.meta.dirname, '../../clients/web/screenshots');
const SIZES = { desktop: { width: 1280, height: 860 }, phone: { width: 390, height: 844 } };
const THEMES = ['light', 'dark'] as const;

interface Screen {
  name: string;
  /** Brings a page from the home screen to it. */
  open: (page: Page) => Promise<unknown>;
}

const post = (page: Page, text: string) =>
  page.getByRole('article').filter({ hasText: text }).first();

const SCREENS: Screen[] = [
  { name: 'home', open: (page) => post(page, 'My third blade').waitFor() },
  {
    name: 'community',
    open: async (page) => {
      await page.getByRole('link', { name: 'sailors' }).first().click();
      await post(page, 'Fog so thick').waitFor();
    },
  },
  {
    name: 'composer',
    open: async (page) => {
      await page.getByRole('button', { name: 'Write', exact: true }).click();
      await page.getByRole('checkbox', { name: 'swordsmith' }).check();
      await page.getByLabel('What you write').fill('The fourth one held. I did not hurry.');
    },
  },
  {
    name: 'composer-without-readers',
    open: async (page) => {
      await page.getByRole('button', { name: 'Write', exact: true }).click();
      await page.getByLabel('What you write').fill('To whom?');
    },
  },
  {
    name: 'thread',
    open: async (page) => {
      await post(page, 'My third blade').locator('time').click();
      await post(page, 'Everybody here has a drawer').waitFor();
    },
  },
  {
    name: 'search',
    open: async (page) => {
      await page.getByRole('link', { name: 'Search', exact: true }).click();
      await page.getByLabel('Words').fill('blade');
      await page.getByRole('button', { name: 'Search', exact: true }).click();
      await post(page, 'Eleven days').waitFor();
    },
  },
  {
    name: 'person',
    open: async (page) => {
      await page.getByRole('link', { name: 'sakura.test' }).first().click();
      await page.getByText('You read them in').waitFor();
    },
  },
  {
    name: 'communities',
    open: async (page) => {
      await page.getByRole('link', { name: 'Communities', exact: true }).click();
      await page.getByText('You are enrolled', { exact: true }).first().waitFor();
    },
  },
  {
    name: 'inspector',
    open: async (page) => {
      await post(page, 'My third blade').getByRole('link', { name: 'Check the proof' }).click();
      await page.getByText('This is what its author signed').waitFor();
    },
  },
  {
    name: 'offline',
    open: async (page) => {
      await post(page, 'My third blade').waitFor();
      await page.context().setOffline(true);
      await page.getByText('You are offline').waitFor();
    },
  },
];

/** `npm run screenshots -w clients/web`: each screen in both themes and two sizes. */
async function main(): Promise<void> {
  await mkdir(FOLDER, { recursive: true });
  await using network = await startLocalNetwork({ ephemeral: true, ports: 'free', webApp: true });
  const gateway = network.topology.gateway.url;
  await using browser = await launchBrowser();

  const stranger = await browser.newPage();
  await stranger.goto(`${gateway}/app/`);
  await stranger.getByLabel('Your handle').click();
  await take(stranger, 'sign-in');

  const mika = await browser.newPage();
  await signIn(mika, gateway, 'mika.test');
  await mika.getByText('You are in no community yet').waitFor();
  await take(mika, 'home-of-nobody');

  const haruki = await browser.newPage();
  await signIn(haruki, gateway, 'haruki.test');
  for (const { name, open } of SCREENS) {
    for (const [size, viewport] of Object.entries(SIZES)) {
      await haruki.setViewportSize(viewport);
      await haruki.goto('about:blank');
      await haruki.goto(`${gateway.replace('localhost', '127.0.0.1')}/app/`);
      await open(haruki);
      await takeBoth(haruki, `${name}-${size}`);
      await haruki.context().setOffline(false);
    }
  }
}

async function take(page: Page, name: string): Promise<void> {
  for (const [size, viewport] of Object.entries(SIZES)) {
    await page.setViewportSize(viewport);
    await takeBoth(page, `${name}-${size}`);
  }
}

async function takeBoth(page: Page, name: string): Promise<void> {
  for (const colorScheme of THEMES) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: join(FOLDER, `${name}-${colorScheme}.png`) });
  }
}

await main();
process.exit(0);
