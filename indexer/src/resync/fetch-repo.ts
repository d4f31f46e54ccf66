import { BlockMap, type Commit, readCarStream } from '@atproto/repo';
import { type Did, mintServiceAuth, ProofError, type SigningKey } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';

const method = zone.stratos.sync.getRepo;

/** Largest repo in bytes that is fetched; each fetch holds as much in memory. */
export const MAX_REPO_BYTES = 64 * 1024 * 1024;
/** Milliseconds that one fetch may take. */
export const FETCH_TIMEOUT_MS = 60_000;

export interface RepoSource {
  /** The guarded client, with a limit for whole repos. */
  fetch: typeof globalThis.fetch;
  appView: { did: Did; key: SigningKey };
  node: { did: Did; endpoint: string };
  signal: AbortSignal;
}

/** Blocks whose CIDs are those of their bytes, and nothing else proven. */
export interface RepoCar {
  root: Commit['data'];
  blocks: BlockMap;
}

/** The node did not answer with a repo. */
export class RepoFetchError extends Error {
  override name = 'RepoFetchError';
  /** Whether the node answered, and has no such repo. */
  readonly isMissing: boolean;

  constructor(message: string, options?: ErrorOptions & { isMissing?: boolean }) {
    super(message, options);
    this.isMissing = options?.isMissing ?? false;
  }
}

/**
 * Gets a repo from its node.
 *
 * @throws RepoFetchError, or ProofError for what is no CAR with blocks that hash to their CIDs
 */
export async function fetchRepo(source: RepoSource, did: Did): Promise<RepoCar> {
  const { fetch, appView, node, signal } = source;
  const url = new URL(`/xrpc/${method.$nsid}`, node.endpoint);
  url.searchParams.set('did', did);
  const { did: issuer, key } = appView;
  const token = await mintServiceAuth({ issuer, audience: node.did, lxm: method.$lxm, key });
  const ends = AbortSignal.any([signal, AbortSignal.timeout(FETCH_TIMEOUT_MS)]);
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(url, { headers, signal: ends });
  if (!response.ok || !response.body) {
    await response.body?.cancel();
    const isMissing = response.status === 404;
    throw new RepoFetchError(`the node answers ${response.status} when asked for a repo`, {
      isMissing,
    });
  }
  return readRepo(untilAborted(response.body, ends));
}

async function readRepo(chunks: AsyncIterable<Uint8Array>): Promise<RepoCar> {
  let broken: unknown;
  const watched = (async function* () {
    try {
      yield* chunks;
    } catch (error) {
      broken = error;
      throw error;
    }
  })();
  try {
    const car = await readCarStream(watched);
    const blocks = new BlockMap();
    for await (const { cid, bytes } of car.blocks) blocks.set(cid, bytes);
    const [root, ...others] = car.roots;
    if (!root || others.length > 0) throw new ProofError('malformed', 'not one root in the CAR');
    return { root, blocks };
  } catch (cause) {
    if (broken) throw new RepoFetchError('the repo cannot be read to its end', { cause: broken });
    if (cause instanceof ProofError) throw cause;
    throw new ProofError('malformed', 'the CAR cannot be read', { cause });
  }
}

/** The chunks of a body; the body is let go when the signal says so, also while nothing comes. */
async function* untilAborted(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  const abort = () => void reader.cancel(signal.reason).catch(() => {});
  signal.addEventListener('abort', abort, { once: true });
  try {
    for (;;) {
      signal.throwIfAborted();
      const { done, value } = await reader.read();
      signal.throwIfAborted();
      if (done) return;
      yield value;
    }
  } finally {
    signal.removeEventListener('abort', abort);
    await reader.cancel().catch(() => {});
  }
}
