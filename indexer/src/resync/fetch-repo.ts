import type { Cid as CidLink } from '@atproto/lex-data';
import {
  CarReader,
  type Did,
  mintServiceAuth,
  ProofError,
  type SigningKey,
} from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { BlockSpool } from './block-spool.ts';
import { Patience } from './patience.ts';

const method = zone.stratos.sync.getRepo;

/** Largest repo in bytes that is fetched. */
export const MAX_REPO_BYTES = 128 * 1024 * 1024;
/** Milliseconds that one fetch may take. */
export const FETCH_TIMEOUT_MS = 10 * 60_000;
/** Blocks of one repo. */
const MAX_BLOCKS = 1_000_000;

export interface RepoSource {
  /** The guarded client, with a limit for whole repos. */
  fetch: typeof globalThis.fetch;
  appView: { did: Did; key: SigningKey };
  node: { did: Did; endpoint: string };
  signal: AbortSignal;
}

/** What came in a CAR, of which nothing is proven. */
export interface FetchedCar extends AsyncDisposable {
  root: CidLink;
  blocks: BlockSpool;
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
 * Gets a repo from its node into a file.
 *
 * @throws RepoFetchError, or ProofError for what is no CAR
 */
export async function fetchRepo(source: RepoSource, did: Did): Promise<FetchedCar> {
  const { fetch, appView, node } = source;
  const url = new URL(`/xrpc/${method.$nsid}`, node.endpoint);
  url.searchParams.set('did', did);
  const { did: issuer, key } = appView;
  const token = await mintServiceAuth({ issuer, audience: node.did, lxm: method.$lxm, key });
  using patience = new Patience();
  const signal = AbortSignal.any([source.signal, patience.signal]);
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(url, { headers, signal });
  if (!response.ok || !response.body) {
    await response.body?.cancel();
    const isMissing = response.status === 404;
    throw new RepoFetchError(`the node answers ${response.status} when asked for a repo`, {
      isMissing,
    });
  }
  return await readRepo(patience.with(untilAborted(response.body, signal)));
}

async function readRepo(chunks: AsyncIterable<Uint8Array>): Promise<FetchedCar> {
  await using opened = new AsyncDisposableStack();
  const blocks = opened.use(await BlockSpool.open());
  const { reader, root } = await CarReader.open(orFetchError(chunks));
  for await (const page of reader.blocks()) {
    await blocks.add(page);
    if (blocks.count > MAX_BLOCKS)
      throw new ProofError('malformed', 'the repo has too many blocks');
  }
  const owned = opened.move();
  return { root, blocks, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function* orFetchError(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } catch (cause) {
    throw new RepoFetchError('the repo cannot be read to its end', { cause });
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
