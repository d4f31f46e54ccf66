import { Browser, type Page } from './browser.ts';
import { type Credentials, signInAndConsent } from './oauth-sign-in.ts';

/**
 * Enrolls a person with a node through the real OAuth flow: node → PDS sign-in → consent → callback of
 * the node. Throws with the node's own words when it does not take them.
 */
export async function enrollAccount(
  nodeUrl: string,
  credentials: Credentials,
  browser = new Browser(),
): Promise<Page> {
  const start = new URL('/oauth/authorize', nodeUrl);
  start.searchParams.set('handle', credentials.username);
  const authorizePage = await browser.navigate(start);
  if (authorizePage.status !== 200 || authorizePage.url.pathname !== '/oauth/authorize') {
    throw new Error(`No sign-in page for ${credentials.username}: ${describe(authorizePage)}`);
  }
  const landing = await signInAndConsent(browser, authorizePage.url, credentials);
  if (landing.status !== 200) {
    throw new Error(`${nodeUrl} did not enroll ${credentials.username}: ${describe(landing)}`);
  }
  return landing;
}

function describe(page: Page): string {
  return `${page.url.origin}${page.url.pathname} answered ${page.status}: ${page.body.slice(0, 500)}`;
}
