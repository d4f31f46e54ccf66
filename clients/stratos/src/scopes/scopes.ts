import { fieldOf } from '../http/fields.ts';
import type { Did } from '../identifiers.ts';

export type RepoAction = 'create' | 'update' | 'delete';

/**
 * The scope to write records of a collection on the person's PDS, see
 * https://atproto.com/specs/permission; all actions unless told.
 *
 * @example
 * console.log(repoScope('zone.stratos.feed.post', ['create', 'delete']));
 */
export function repoScope(collection: string, actions: readonly RepoAction[] = []): string {
  const asked = actions.map((action) => `action=${action}`);
  return asked.length === 0 ? `repo:${collection}` : `repo:${collection}?${asked.join('&')}`;
}

export interface RpcScopeOptions {
  /** The service that may be called, with its fragment; any unless told. */
  audience?: `${Did}#${string}` | '*';
}

/**
 * The scope to call methods in the name of the person.
 *
 * @example
 * console.log(rpcScope(['zone.stratos.server.createSession'], { audience: `${nodeDid}#stratos` }));
 */
export function rpcScope(
  methods: readonly [string, ...string[]],
  { audience = '*' }: RpcScopeOptions = {},
): string {
  const aud = `aud=${encodeAudience(audience)}`;
  const [method, ...others] = methods;
  if (others.length === 0) return `rpc:${method}?${aud}`;
  return `rpc?${methods.map((each) => `lxm=${each}`).join('&')}&${aud}`;
}

/**
 * The scope of a published permission set.
 *
 * @example
 * console.log(permissionSetScope('app.example.authFull', { audience: `${nodeDid}#stratos` }));
 */
export function permissionSetScope(
  nsid: string,
  { audience }: { audience?: `${Did}#${string}` } = {},
): string {
  return audience ? `include:${nsid}?aud=${encodeAudience(audience)}` : `include:${nsid}`;
}

/** All that an app asks for that opens sessions of nodes and gateways: it can write nothing on the PDS. */
export const SESSION_SCOPE = `atproto ${rpcScope([
  'zone.stratos.gateway.createSession',
  'zone.stratos.server.createSession',
])}`;

/**
 * Asks for the first of some scopes that the authorization server takes: one that cannot resolve a permission
 * set answers `invalid_scope`, and is then asked for what is in it. All of them must be in the metadata of
 * the client. Whatever else goes wrong is thrown as it is.
 *
 * @example
 * const scopes = [`atproto ${permissionSetScope('app.example.authFull')}`, SESSION_SCOPE];
 * console.log(await withScopeFallback(scopes, (scope) => oauth.authorize('rei.test', { scope })));
 */
export async function withScopeFallback<T>(
  scopes: readonly string[],
  authorize: (scope: string) => Promise<T>,
): Promise<T> {
  const [scope = 'atproto', ...others] = scopes;
  try {
    return await authorize(scope);
  } catch (error) {
    if (others.length === 0 || fieldOf(error, 'error') !== 'invalid_scope') throw error;
    return withScopeFallback(others, authorize);
  }
}

/** As scopes have it: a DID stays readable. */
function encodeAudience(audience: string): string {
  return encodeURIComponent(audience).replaceAll('%3A', ':');
}
