import { askJson, type Fetch } from '../http/request.ts';
import { expected, isText, refusal } from '../http/xrpc.ts';
import type { Did } from '../identifiers.ts';

/** A person who is signed in at their PDS: a session of an atproto OAuth client, or an `AtpAgent`. */
export interface Pds {
  fetchHandler(path: string, init?: RequestInit): Promise<Response>;
}

export interface ServiceAuthRequest {
  /** The service that is to be called. */
  audience: Did;
  /** The method that is to be called. */
  lxm: string;
  timeoutMs?: number | undefined;
}

const METHOD = 'com.atproto.server.getServiceAuth';

/**
 * A token by which the person's PDS says who calls, good for one call within a minute.
 *
 * @throws `RefusedError` for instance when the scope of the OAuth session does not cover the method,
 * `UnreachableError`, and what the OAuth library throws, as it is
 */
export async function serviceAuth(
  pds: Pds,
  { audience, lxm, timeoutMs }: ServiceAuthRequest,
): Promise<string> {
  const path = `/xrpc/${METHOD}?${new URLSearchParams({ aud: audience, lxm })}`;
  const fetch: Fetch = (address, init) => pds.fetchHandler(address, init);
  const answer = await askJson(path, { method: 'GET' }, { fetch, timeoutMs });
  if (answer.status !== 200) throw refusal(METHOD, answer, answer.body);
  return expected(answer.body, 'token', isText);
}
