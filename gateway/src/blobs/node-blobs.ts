import { createHash } from 'node:crypto';
import { parseCidSafe } from '@atproto/lex-data';
import type { Cid, Did } from '@stratos/protocol';
import { com } from '@stratos/protocol/lexicons';
import { ApiError } from '@stratos/schema';
import type { NodeClient } from '../hydration/nodes/node-client.ts';

const method = com.atproto.sync.getBlob;
/** The largest blob that is served, in bytes. */
export const MAX_BLOB_BYTES = 5_000_000;
const TIMEOUT_MS = 10_000;
/** Blobs that are in memory at a time. */
const MAX_AT_ONCE = 20;

export interface NodeBlob {
  node: Did;
  did: Did;
  cid: Cid;
}

/** Blobs from the nodes that hold them, none of which leaves before it is whole and proven. */
export class NodeBlobs {
  readonly #client: Pick<NodeClient, 'fetch'>;
  #open = 0;

  /** @param client - which takes no answer that is larger than {@link MAX_BLOB_BYTES} */
  constructor(client: Pick<NodeClient, 'fetch'>) {
    this.#client = client;
  }

  /**
   * The bytes of a blob; undefined when its node has none that are of the CID.
   *
   * @throws ApiError `UNAVAILABLE` when the node cannot be asked, or too many blobs are on their way
   */
  async read(blob: NodeBlob): Promise<Buffer | undefined> {
    if (this.#open >= MAX_AT_ONCE) throw unavailable('Too many files are asked for at once');
    this.#open += 1;
    try {
      const bytes = await this.#fetch(blob).catch((cause) => {
        throw unavailable('The node cannot be asked for the file', cause);
      });
      return bytes && isOf(blob.cid, bytes) ? bytes : undefined;
    } finally {
      this.#open -= 1;
    }
  }

  async #fetch({ node, did, cid }: NodeBlob): Promise<Buffer | undefined> {
    const path = `/xrpc/${method.$nsid}?${new URLSearchParams({ did, cid })}`;
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await this.#client.fetch(node, path, { lxm: method.$lxm, signal });
    if (response.ok) return Buffer.from(await response.arrayBuffer());
    await response.body?.cancel();
    if (response.status === 404) return undefined;
    throw new Error(`the node answers ${response.status}`);
  }
}

/** False for a CID of anything but raw bytes, too: that is none of a blob. */
function isOf(cid: Cid, bytes: Uint8Array): boolean {
  const raw = parseCidSafe(cid, { flavor: 'raw' });
  return raw !== null && createHash('sha256').update(bytes).digest().equals(raw.multihash.digest);
}

function unavailable(message: string, cause?: unknown): ApiError {
  return new ApiError('UNAVAILABLE', message, { cause });
}
