import {
  type AtprotoOAuthScope,
  JoseKey,
  NodeOAuthClient,
  type OAuthClientMetadataInput,
  requestLocalLock,
} from '@atproto/oauth-client-node';
import { createGuardedFetch } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import type { NodeConfig } from '../config.ts';
import type { OAuthStore } from '../storage/service-storage.ts';
import { clientKey } from './client-key.ts';

const RECORDS = [zone.stratos.actor.enrollment.$nsid, zone.stratos.feed.post.$nsid];
/** What a person is asked to let the node do: write the enrollment record and stubs. */
export const OAUTH_SCOPE =
  `atproto ${RECORDS.map((nsid) => `repo:${nsid}`).join(' ')}` as AtprotoOAuthScope;

const CALLBACK_PATH = '/oauth/callback';
/** Where the public key of a confidential client is published. */
export const JWKS_PATH = '/oauth/jwks.json';

/**
 * Where the authorization server sends people back to. Without https that is a loopback address, as
 * RFC 8252 and the atproto profile want it.
 */
export function redirectUri(config: Pick<NodeConfig, 'publicUrl'>): string {
  const url = new URL(config.publicUrl);
  if (url.protocol === 'http:') url.hostname = '127.0.0.1';
  return new URL(CALLBACK_PATH, url).href;
}

/**
 * The node as an OAuth client: confidential with a key of its own, public without, each with metadata
 * at its own address; or a loopback client.
 */
export function clientMetadata({ publicUrl, oauth }: Pick<NodeConfig, 'publicUrl' | 'oauth'>) {
  const isLoopback = publicUrl.startsWith('http:');
  const redirect = redirectUri({ publicUrl });
  const loopbackId = `http://localhost?${new URLSearchParams({ redirect_uri: redirect, scope: OAUTH_SCOPE })}`;
  return {
    client_id: isLoopback ? loopbackId : `${publicUrl}/client-metadata.json`,
    client_name: oauth.clientName,
    ...(!isLoopback && { client_uri: publicUrl }),
    ...(oauth.logoUri !== undefined && { logo_uri: oauth.logoUri }),
    ...(oauth.tosUri !== undefined && { tos_uri: oauth.tosUri }),
    ...(oauth.policyUri !== undefined && { policy_uri: oauth.policyUri }),
    application_type: isLoopback ? 'native' : 'web',
    redirect_uris: [redirect],
    scope: OAUTH_SCOPE,
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    ...(oauth.clientSecret === undefined
      ? { token_endpoint_auth_method: 'none' }
      : {
          token_endpoint_auth_method: 'private_key_jwt',
          token_endpoint_auth_signing_alg: 'ES256',
          jwks_uri: publicUrl + JWKS_PATH,
        }),
    dpop_bound_access_tokens: true,
  };
}

/** The OAuth client with its flows and sessions in the service database. */
export async function createOAuthClient(
  config: NodeConfig,
  store: OAuthStore,
): Promise<NodeOAuthClient> {
  const key = clientKey(config);
  return new NodeOAuthClient({
    ...(key && { keyset: [await JoseKey.fromJWK(key)] }),
    clientMetadata: clientMetadata(config) as OAuthClientMetadataInput,
    allowHttp: config.devMode,
    fetch: createGuardedFetch({ devMode: config.devMode }),
    plcDirectoryUrl: config.plcUrl,
    requestLock: requestLocalLock,
    ...(config.handleResolverUrl !== undefined && { handleResolver: config.handleResolverUrl }),
    stateStore: {
      get: (key) => store.state(key),
      set: (key, state) => store.putState(key, state),
      del: (key) => store.deleteState(key),
    },
    sessionStore: {
      get: (key) => store.session(key),
      set: (key, session) => store.putSession(key, session),
      del: (key) => store.deleteSession(key),
    },
  });
}
