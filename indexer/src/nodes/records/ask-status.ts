import { setTimeout as sleep } from 'node:timers/promises';
import { type Did, mintServiceAuth, type SigningKey } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';

const method = zone.stratos.enrollment.status;
/** A node that does not answer about somebody is asked again, and after that it counts as silent. */
const ATTEMPTS = 3;
const RETRY_MS = 500;

export interface StatusSource {
  /** The guarded client. */
  fetch: typeof globalThis.fetch;
  appView: { did: Did; key: SigningKey };
  node: { did: Did; endpoint: string };
  signal: AbortSignal;
}

/** The node does not say whether somebody is enrolled. */
export class StatusError extends Error {
  override name = 'StatusError';
}

/**
 * What a node says of somebody's enrollment, of which nothing is proven.
 *
 * @throws StatusError unless it answers
 */
export async function askStatus(
  source: StatusSource,
  did: Did,
  attempts = ATTEMPTS,
): Promise<unknown> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await askOnce(source, did);
    } catch (cause) {
      source.signal.throwIfAborted();
      if (attempt === attempts) {
        throw new StatusError('the node does not say who is enrolled', { cause });
      }
      await sleep(RETRY_MS * attempt, undefined, { signal: source.signal });
    }
  }
}

async function askOnce(source: StatusSource, did: Did): Promise<unknown> {
  const { fetch, appView, node, signal } = source;
  const url = new URL(`/xrpc/${method.$nsid}`, node.endpoint);
  url.searchParams.set('did', did);
  const { did: issuer, key } = appView;
  const token = await mintServiceAuth({ issuer, audience: node.did, lxm: method.$lxm, key });
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` }, signal });
  if (response.ok) return response.json();
  await response.body?.cancel();
  throw new StatusError(`the node answers ${response.status}`);
}
