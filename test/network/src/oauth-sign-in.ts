import type { Browser, Page } from './browser.ts';

const PROVIDER_API = '/@atproto/oauth-provider/~api';

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/**
 * What a person does on the pages of their PDS: signs in, looks at what the app asks for, and allows it.
 * `authorizePage` is the page of the OAuth provider that the app has sent them to. Returns the page
 * where the app has taken them afterwards.
 */
export async function signInAndConsent(
  browser: Browser,
  authorizePage: URL,
  credentials: Credentials,
): Promise<Page> {
  const { account, ephemeralToken } = await callProvider<{
    account: { sub?: string; did?: string };
    ephemeralToken?: string;
  }>(browser, authorizePage, '/sign-in', { locale: 'en', remember: true, ...credentials });
  const did = account.did ?? account.sub;
  if (ephemeralToken || !did) throw new Error('The PDS did not remember the sign-in');
  const { url } = await callProvider<{ url: string }>(browser, authorizePage, '/consent', { did });
  return browser.navigate(url, { from: authorizePage });
}

async function callProvider<T>(
  browser: Browser,
  page: URL,
  method: string,
  body: unknown,
): Promise<T> {
  const answer = await browser.postJson(page, `${PROVIDER_API}${method}`, body);
  if (answer.status !== 200) {
    throw new Error(`The PDS refused ${method.slice(1)} with ${answer.status}: ${answer.body}`);
  }
  return JSON.parse(answer.body);
}
