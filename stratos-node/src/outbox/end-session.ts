import type { NodeOAuthClient } from '@atproto/oauth-client-node';
import type { Did } from '@stratos/protocol';
import type { OAuthStore } from '../storage/service-storage.ts';

/** Gives back the session that a person gave us, if it is not younger than `asOf`. */
export type EndPdsSession = (did: Did, asOf: string) => Promise<void>;

/** Revokes the session as far as the PDS can be reached, and drops it in any case. */
export function endOAuthSession(client: NodeOAuthClient, store: OAuthStore): EndPdsSession {
  return async (did, asOf) => {
    const ended = await store.sessionOf(did);
    if (!ended || ended.createdAt > asOf) return;
    // @NOTE by its token, since the person may be giving us another session in this moment
    const { access_token: token } = ended.session.tokenSet;
    const known = await client.restore(did, false).catch(() => undefined);
    await known?.server.revoke(token);
    await store.deleteSession(did, ended.createdAt);
  };
}
