import type { IdentityResolver } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { UnopenedStreamError } from '../node-stream.ts';

/** How HTTP says that there is no such method. */
const NO_METHOD = [404, 501];

/**
 * Whether a node does not open its stream of all because it has none. Older nodes hang up on who asks for
 * a stream that they do not know, and say so to who asks for it without a socket.
 */
export async function lacksStream(
  { fetch }: Pick<IdentityResolver, 'fetch'>,
  endpoint: string,
  error: unknown,
): Promise<boolean> {
  if (!(error instanceof UnopenedStreamError)) return false;
  if (error.status !== undefined) return NO_METHOD.includes(error.status);
  try {
    const url = new URL(`/xrpc/${zone.stratos.sync.subscribeService.$nsid}`, endpoint);
    const response = await fetch(url);
    await response.body?.cancel();
    return NO_METHOD.includes(response.status);
  } catch {
    return false;
  }
}
