import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { zone } from '@stratos/protocol/lexicons';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalNetwork, startLocalNetwork } from '../network/src/index.ts';
import { eventually } from './eventually.ts';
import { launchBrowser } from './web-page.ts';

const SCREENSHOTS = join(import.meta.dirname, '../../artifacts/screenshots');

let network: LocalNetwork;
let browser: Browser;

beforeAll(async () => {
  await mkdir(SCREENSHOTS, { recursive: true });
  network = await startLocalNetwork({ ephemeral: true, ports: 'free' });
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  await network?.[Symbol.asyncDispose]();
});

async function withPage(run: (page: Page) => Promise<void>): Promise<void> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 } });
  const page = await context.newPage();
  const requested: string[] = [];
  page.on('request', (request) => requested.push(new URL(request.url()).hostname));
  try {
    await run(page);
    expect(requested.filter((host) => !['localhost', '127.0.0.1', ''].includes(host))).toEqual([]);
  } finally {
    await context.close();
  }
}

describe('a person in a browser', () => {
  it('enrolls with a node through the consent page of their PDS', async () => {
    await network.createAccount('fuyuko.test');
    const { did } = network.account('fuyuko.test');
    await withPage(async (page) => {
      const authorize = new URL('/oauth/authorize', network.topology.nodes.swordsmith.url);
      authorize.searchParams.set('handle', 'fuyuko.test');
      await page.goto(authorize.href);
      await page.locator('input[name="password"]').fill('password');
      await page.screenshot({ path: join(SCREENSHOTS, 'sign-in.png') });
      await page.getByRole('button', { name: /sign in|next/i }).click();
      const allow = page.getByRole('button', { name: /authorize|accept|allow/i });
      await allow.waitFor();
      await page.screenshot({ path: join(SCREENSHOTS, 'consent.png') });
      await allow.click();
      await page.waitForURL(/oauth\/callback|stratos_enrolled/);
      await page.screenshot({ path: join(SCREENSHOTS, 'enrolled.png') });
    });
    expect(await network.nodes.swordsmith.isEnrolled(did)).toBe(true);
    const { pds } = network.account('fuyuko.test');
    await eventually(async () => {
      const collection = zone.stratos.actor.enrollment.$nsid;
      const { records } = (await pds.com.atproto.repo.listRecords({ repo: did, collection })).data;
      expect(records.map(({ value }) => value['service'])).toEqual([
        network.topology.nodes.swordsmith.url,
      ]);
    });
  });

  it('sees in GraphiQL how the timelines of two accounts differ, each with one click', async () => {
    await withPage(async (page) => {
      await page.goto(network.topology.gateway.url);
      await page.screenshot({ path: join(SCREENSHOTS, 'front-page.png') });
      await page
        .getByRole('link', { name: /graphiql/i })
        .first()
        .click();
      // The editor breaks lines where it likes and draws those alone that are in view.
      const shown = async () =>
        (await page.locator('.result-window').innerText()).replaceAll(/\s+/g, ' ');
      const ask = async (handle: string) => {
        await page.getByRole('button', { name: handle }).click();
        await page.getByText(`Signed in as ${handle}`).waitFor();
        const answered = page.waitForResponse(
          (response) => response.url().endsWith('/graphql') && response.status() === 200,
        );
        await page.getByRole('button', { name: /execute query/i }).click();
        return (await answered).text();
      };
      const rei = await ask('rei.test');
      await eventually(async () => expect(await shown()).toContain('I quench when the steel'));
      await page.screenshot({ path: join(SCREENSHOTS, 'graphiql-rei.png') });
      const kaoruko = await ask('kaoruko.test');
      await eventually(async () => expect(await shown()).toContain('Lesson of the week'));
      expect(await shown()).not.toContain('I quench when the steel');
      await page.screenshot({ path: join(SCREENSHOTS, 'graphiql-kaoruko.png') });
      expect(rei).toContain('charcoal');
      expect(rei).not.toContain('shelf');
      expect(kaoruko).toContain('shelf');
      expect(kaoruko).not.toContain('charcoal');
    });
  });
});
