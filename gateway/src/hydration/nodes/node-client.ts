import { jsonToLex } from '@atproto/lex-json';
import {
  type AtUri,
  type Did,
  type IdentityResolver,
  isAtUri,
  mintServiceAuth,
  nodeEndpointOf,
  type SigningKey,
} from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { z } from 'zod';
import type { RecordValue } from '../posts.ts';

const method = zone.stratos.repo.hydrateRecords;

const answer = z.object({
  records: z.array(
    z.object({
      uri: z.custom<AtUri>(isAtUri),
      value: z.record(z.string(), z.json()).transform((json) => jsonToLex(json) as RecordValue),
    }),
  ),
});

/** A node cannot be asked, or answers something else than what it was asked for. */
export class NodeCallError extends Error {
  override name = 'NodeCallError';
}

/** Who asks nodes, and how. */
export interface NodeClientOptions {
  /** The AppView that nodes let read, with its `#atproto` key. */
  appView: { did: Did; key: SigningKey };
  identity: Pick<IdentityResolver, 'didDocument'>;
  /** The guarded client. */
  fetch: typeof globalThis.fetch;
}

/** Calls nodes as the AppView. */
export class NodeClient {
  readonly #options: NodeClientOptions;

  constructor(options: NodeClientOptions) {
    this.#options = options;
  }

  /**
   * What a node has under some addresses, 100 at most. None of it is proven.
   *
   * @throws when the node cannot be asked
   */
  async records(
    node: Did,
    uris: readonly AtUri[],
    signal: AbortSignal,
  ): Promise<Map<AtUri, RecordValue>> {
    const response = await this.fetch(node, `/xrpc/${method.$nsid}`, {
      lxm: method.$lxm,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ uris }),
      signal,
    });
    if (!response.ok) {
      await response.body?.cancel();
      throw new NodeCallError(`the node answers ${response.status}`);
    }
    const { records } = answer.parse(await response.json());
    return new Map(records.map(({ uri, value }) => [uri, value]));
  }

  /** Asks a node as the AppView. @throws when there is no way to it */
  async fetch(
    node: Did,
    path: string,
    { lxm, headers, ...init }: RequestInit & { lxm: string },
  ): Promise<Response> {
    const { appView, identity, fetch } = this.#options;
    const document = await identity.didDocument(node);
    const endpoint = document && nodeEndpointOf(document);
    if (!endpoint) throw new NodeCallError('the DID document names no node');
    const { did: issuer, key } = appView;
    const token = await mintServiceAuth({ issuer, audience: node, lxm, key });
    return fetch(new URL(path, endpoint), {
      ...init,
      headers: { ...headers, authorization: `Bearer ${token}` },
    });
  }
}
