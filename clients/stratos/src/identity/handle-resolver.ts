import { UnreachableError } from '../errors.ts';
import { textOf } from '../http/fields.ts';
import { type Asking, askJson } from '../http/request.ts';
import { methodUrl } from '../http/xrpc.ts';
import { type Did, isDid } from '../identifiers.ts';

/** The DID that a handle names, or undefined. Throws `UnreachableError` when nobody could be asked. */
export type HandleResolver = (handle: string) => Promise<Did | undefined>;

export interface HandleResolverOptions extends Pick<Asking, 'fetch' | 'timeoutMs'> {
  /**
   * Who knows handles: the base URL of a PDS or AppView with `com.atproto.identity.resolveHandle`. A page
   * cannot ask the DNS itself.
   */
  service: string;
}

const HANDLE = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/i;

/** True for what is a handle by its form, see https://atproto.com/specs/handle. */
export function isHandle(text: string): boolean {
  return text.length <= 253 && HANDLE.test(text);
}

/**
 * Asks a service for the DIDs of handles. It is believed; `findPerson` checks that the DID knows of the handle.
 *
 * @example
 * const handles = createHandleResolver({ service: pdsUrl });
 * console.log(await handles('rei.test'));
 */
export function createHandleResolver(options: HandleResolverOptions): HandleResolver {
  return async (handle) => {
    if (!isHandle(handle)) return undefined;
    const params = { handle: handle.toLowerCase() };
    const url = methodUrl(options.service, 'com.atproto.identity.resolveHandle', params);
    const { status, body } = await askJson(url, {}, options);
    if (status >= 500) throw new UnreachableError('Unreachable', `${url} answered ${status}`);
    const did = textOf(body, 'did');
    return status === 200 && isDid(did) ? did : undefined;
  };
}
