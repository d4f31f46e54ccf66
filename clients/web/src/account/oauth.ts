import { BrowserOAuthClient, type OAuthSession } from '@atproto/oauth-client-browser';
import { SESSION_SCOPE } from '@stratos/client';
import type { Config } from '../config.ts';

export type { OAuthSession } from '@atproto/oauth-client-browser';

/** Where the client keeps keys and tokens, and what it has looked up. */
const DATABASE = '@atproto-oauth-client';

/** The sign-in of atproto in this browser. Its keys and tokens are in IndexedDB; the keys cannot be read. */
export class OAuth {
  readonly #client: BrowserOAuthClient;

  private constructor(client: BrowserOAuthClient) {
    this.#client = client;
  }

  /** @param onEnded - hears when a session is over: signed out in another tab, or not renewed by the PDS */
  static async open(
    { plcUrl, handleResolver, clientId }: Config,
    onEnded: () => void,
  ): Promise<OAuth> {
    const client = await BrowserOAuthClient.load({
      clientId: clientId ?? loopbackClientId(),
      plcDirectoryUrl: plcUrl,
      handleResolver,
      allowHttp: location.protocol === 'http:',
      onSessionDeleted: onEnded,
    });
    return new OAuth(client);
  }

  /** Who comes back from their PDS, or who was signed in before; undefined when nobody is. */
  async resume(): Promise<OAuthSession | undefined> {
    const resumed = await this.#client.init();
    return resumed?.session;
  }

  /** Leaves the page for the person's PDS. Rejects when that does not work, or they come back. */
  async signIn(handleOrPds: string): Promise<void> {
    await this.#client.signInRedirect(handleOrPds, { scope: SESSION_SCOPE });
  }

  /** Gives the tokens back, as far as the PDS can be reached, and removes all that was kept. */
  async signOut(session: OAuthSession): Promise<void> {
    await session.signOut().catch(() => {});
    await this.#client.dispose();
    await new Promise<void>((resolve) => {
      const removal = indexedDB.deleteDatabase(DATABASE);
      // Another tab may have it open; that one removes it, too.
      for (const end of ['success', 'error', 'blocked']) {
        removal.addEventListener(end, () => resolve(), { once: true });
      }
    });
  }
}

/** See https://atproto.com/specs/oauth#localhost-client-development. */
function loopbackClientId(): string {
  const redirect = new URL(location.pathname, location.origin);
  const params = new URLSearchParams({ redirect_uri: redirect.href, scope: SESSION_SCOPE });
  return `http://localhost?${params}`;
}
