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
      proof: z
        .object({ $bytes: z.string() })
        .transform(({ $bytes }): Uint8Array => Buffer.from($bytes, 'base64'))
        .optional(),
    }),
  ),
  membershipSeq: z.int().min(0).optional(),
});

/** A record with what is to show that it is in the repo of its author. */
export interface ShownRecord {
  value: RecordValue;
  /** A CAR. */
  proof: Uint8Array;
  /** Newest entry of the node's membership log after it read the record. */
  membershipSeq: number;
}

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
    const { records } = await this.#hydrate(node, { uris }, signal);
    return new Map(records.map(({ uri, value }) => [uri, value]));
  }

  /**
   * The same, as far as the node shows that its records are in the repos of their authors, and how much it had
   * decided about members by then. None of it is proven.
   *
   * @throws when the node cannot be asked
   */
  async shownRecords(
    node: Did,
    uris: readonly AtUri[],
    signal: AbortSignal,
  ): Promise<Map<AtUri, ShownRecord>> {
    const { records, membershipSeq } = await this.#hydrate(node, { uris, proof: true }, signal);
    if (membershipSeq === undefined) return new Map();
    return new Map(
      records.flatMap(({ uri, value, proof }) =>
        proof ? [[uri, { value, proof, membershipSeq }] as const] : [],
      ),
    );
  }

  async #hydrate(
    node: Did,
    body: { uris: readonly AtUri[]; proof?: boolean },
    signal: AbortSignal,
  ): Promise<z.infer<typeof answer>> {
    const response = await this.fetch(node, `/xrpc/${method.$nsid}`, {
      lxm: method.$lxm,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal,
    });
    if (!response.ok) {
      await response.body?.cancel();
      throw new NodeCallError(`the node answers ${response.status}`);
    }
    return answer.parse(await response.json());
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
