import chromium from '@sparticuz/chromium';
import playwright, { type Browser, type Page } from 'playwright-core';
import { DEMO_PASSWORD } from '../network/src/index.ts';

export async function launchBrowser(): Promise<Browser> {
  return playwright.chromium.launch({
    executablePath: await chromium.executablePath(),
    // @NOTE of the package's own arguments, `--single-process` dies between two pages and
    // `--disable-web-security` would let through what a person's browser does not
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-zygote'],
    headless: true,
  });
}

/** Signs somebody in to the web app of a gateway, through the pages of their PDS. */
export async function signIn(page: Page, gateway: string, handle: string): Promise<void> {
  await page.goto(`${gateway}/app/`);
  await page.getByLabel('Your handle').fill(handle);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await allow(page);
  await page.getByRole('link', { name: 'Home', exact: true }).waitFor();
}

/** Allows what an app asks for on the pages of a PDS, with the password where it is wanted. */
export async function allow(page: Page): Promise<void> {
  const password = page.locator('input[name="password"]');
  const accept = page.getByRole('button', { name: /authorize|accept|allow/i });
  await password.or(accept).first().waitFor();
  if (await password.isVisible()) {
    await password.fill(DEMO_PASSWORD);
    await page.getByRole('button', { name: /sign in|next/i }).click();
  }
  await accept.click();
}
