import {
  type NodeOAuthClient,
  TokenInvalidError,
  TokenRefreshError,
  TokenRevokedError,
} from '@atproto/oauth-client-node';
import type { Did } from '@stratos/protocol';
import { PdsError, type PdsSession } from './pds-repo.ts';

/** Finds the session by which the node may write to a person's PDS. Throws {@link PdsError}. */
export type FindPdsSession = (did: Did) => Promise<PdsSession>;

/** Sessions that people gave the node when they enrolled. */
export function oauthSessions(client: NodeOAuthClient): FindPdsSession {
  return async (did) => {
    const session = await asking(() => client.restore(did));
    return { fetchHandler: (path, init) => asking(() => session.fetchHandler(path, init)) };
  };
}

async function asking<T>(request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (cause) {
    const isLost =
      cause instanceof TokenRefreshError ||
      cause instanceof TokenRevokedError ||
      cause instanceof TokenInvalidError;
    const message = isLost ? 'the OAuth session is lost' : 'the PDS cannot be reached';
    throw new PdsError(message, { cause, isTransient: !isLost });
  }
}
