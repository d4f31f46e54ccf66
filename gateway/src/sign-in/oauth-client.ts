import {
  NodeOAuthClient,
  type NodeSavedSession,
  type OAuthClientMetadataInput,
  requestLocalLock,
} from '@atproto/oauth-client-node';
import { createGuardedFetch } from '@stratos/protocol';
import { LRUCache } from 'lru-cache';
import type { GatewayConfig } from '../config.ts';
import type { KeptValues } from './kept-values.ts';

/** Who somebody is, and nothing that they have. */
export const OAUTH_SCOPE = 'atproto';
export const CLIENT_METADATA_PATH = '/oauth/client-metadata.json';
export const CALLBACK_PATH = '/oauth/callback';
/** Seconds that a person has to sign in at their PDS. */
export const FLOW_LIFETIME = 600;
/** Milliseconds for which the tokens of a PDS are held, which are given back at once. */
const TOKENS_LIFETIME_MS = 60_000;

/**
 * Where people come back to from their PDS. Without https that is a loopback address, as RFC 8252 and the
 * atproto profile want it.
 */
export function redirectUri(publicUrl: string): URL {
  const url = new URL(CALLBACK_PATH, publicUrl);
  if (url.protocol === 'http:') url.hostname = '127.0.0.1';
  return url;
}

/** The gateway as an OAuth client: public, or of the loopback. */
export function clientMetadata(publicUrl: string): OAuthClientMetadataInput {
  const redirect = redirectUri(publicUrl).href;
  const isLoopback = publicUrl.startsWith('http:');
  const loopback = new URLSearchParams({ redirect_uri: redirect, scope: OAUTH_SCOPE });
  return {
    client_id: isLoopback ? `http://localhost?${loopback}` : publicUrl + CLIENT_METADATA_PATH,
    client_name: 'Stratos Gateway',
    ...(!isLoopback && { client_uri: publicUrl }),
    application_type: isLoopback ? 'native' : 'web',
    redirect_uris: [redirect],
    scope: OAUTH_SCOPE,
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
    dpop_bound_access_tokens: true,
  } as OAuthClientMetadataInput;
}

export type OAuthClientConfig = Pick<
  GatewayConfig,
  'publicUrl' | 'devMode' | 'plcUrl' | 'handleResolverUrl'
>;

/** The OAuth client. What it must know between two requests is kept in `flows`; tokens never are. */
export function createOAuthClient(config: OAuthClientConfig, flows: KeptValues): NodeOAuthClient {
  const { publicUrl, devMode, plcUrl, handleResolverUrl } = config;
  const tokens = new LRUCache<string, NodeSavedSession>({ max: 10_000, ttl: TOKENS_LIFETIME_MS });
  return new NodeOAuthClient({
    clientMetadata: clientMetadata(publicUrl),
    allowHttp: devMode,
    fetch: createGuardedFetch({ devMode }),
    plcDirectoryUrl: plcUrl,
    requestLock: requestLocalLock,
    ...(handleResolverUrl !== undefined && { handleResolver: handleResolverUrl }),
    stateStore: {
      get: async (key) => {
        const state = await flows.get(key);
        return state === undefined ? undefined : JSON.parse(state);
      },
      set: (key, state) => flows.put(key, JSON.stringify(state), FLOW_LIFETIME),
      del: (key) => flows.delete(key),
    },
    sessionStore: {
      get: (key) => tokens.get(key),
      set: (key, session) => void tokens.set(key, session),
      del: (key) => void tokens.delete(key),
    },
  });
}

/** What a flow that was begun has of our own, by the `state` that comes back; undefined when none was. */
export async function readAppState(flows: KeptValues, state: string): Promise<unknown> {
  const kept = await flows.get(state);
  return kept === undefined ? undefined : JSON.parse(kept).appState;
}
