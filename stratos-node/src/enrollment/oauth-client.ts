import {
  type AtprotoOAuthScope,
  NodeOAuthClient,
  type OAuthClientMetadataInput,
  requestLocalLock,
} from '@atproto/oauth-client-node';
import { createGuardedFetch } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import type { NodeConfig } from '../config.ts';
import type { OAuthStore } from '../storage/service-storage.ts';

const RECORDS = [zone.stratos.actor.enrollment.$nsid, zone.stratos.feed.post.$nsid];
/** What a person is asked to let the node do: write the enrollment record and stubs. */
export const OAUTH_SCOPE =
  `atproto ${RECORDS.map((nsid) => `repo:${nsid}`).join(' ')}` as AtprotoOAuthScope;

const CALLBACK_PATH = '/oauth/callback';

/**
 * Where the authorization server sends people back to. Without https that is a loopback address, as
 * RFC 8252 and the atproto profile want it.
 */
export function redirectUri(config: Pick<NodeConfig, 'publicUrl'>): string {
  const url = new URL(config.publicUrl);
  if (url.protocol === 'http:') url.hostname = '127.0.0.1';
  return new URL(CALLBACK_PATH, url).href;
}

/** The node as an OAuth client: public, with metadata at its own address, or a loopback client. */
export function clientMetadata(config: Pick<NodeConfig, 'publicUrl'>) {
  const isLoopback = config.publicUrl.startsWith('http:');
  const redirect = redirectUri(config);
  const loopbackId = `http://localhost?${new URLSearchParams({ redirect_uri: redirect, scope: OAUTH_SCOPE })}`;
  return {
    client_id: isLoopback ? loopbackId : `${config.publicUrl}/client-metadata.json`,
    client_name: 'Stratos node',
    ...(!isLoopback && { client_uri: config.publicUrl }),
    application_type: isLoopback ? 'native' : 'web',
    redirect_uris: [redirect],
    scope: OAUTH_SCOPE,
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
    dpop_bound_access_tokens: true,
  };
}

/** The OAuth client with its flows and sessions in the service database. */
export function createOAuthClient(config: NodeConfig, store: OAuthStore): NodeOAuthClient {
  return new NodeOAuthClient({
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
