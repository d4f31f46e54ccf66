import { RefusedError, UnreachableError } from '../errors.ts';
import { fieldOf, textOf } from '../http/fields.ts';
import { query, type XrpcService } from '../http/xrpc.ts';

export interface WaitUntilVisibleOptions {
  /** The version that is waited for; any unless told. */
  cid?: string | undefined;
  /** Milliseconds after which it is given up; 10,000 unless told. */
  timeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
}

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

/**
 * Waits until a gateway shows a post to the person of the session, asking less and less often. False when it
 * does not within the time: it may be late, or never theirs to see.
 *
 * @param gateway - a session of a gateway
 * @throws `RefusedError`, `UnreachableError`, or what `signal` was aborted with
 * @example
 * const { uri, cid } = await writePost(session, { text: 'Here.', boundaries: [boundary] });
 * const isVisible = await waitUntilVisible(gatewaySession, uri, { cid });
 * console.log(isVisible);
 */
export async function waitUntilVisible(
  gateway: XrpcService,
  uri: string,
  { cid, timeoutMs = 10_000, signal }: WaitUntilVisibleOptions = {},
): Promise<boolean> {
  const end = Date.now() + timeoutMs;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
    const left = end - Date.now();
    if (left <= 0) return false;
    const shown = await askFor(gateway, uri, { timeoutMs: left, signal });
    if (shown.cid !== undefined && (cid === undefined || shown.cid === cid)) return true;
    await sleep(Math.min(shown.waitMs ?? pause, Math.max(end - Date.now(), 0)), signal);
  }
}

/** The version that is shown, if any, or how long to wait at least. */
async function askFor(
  gateway: XrpcService,
  uri: string,
  call: { timeoutMs: number; signal: AbortSignal | undefined },
): Promise<{ cid?: string | undefined; waitMs?: number }> {
  try {
    const answer = await query(gateway, 'zone.stratos.feed.getPost', { ...call, params: { uri } });
    return { cid: textOf(fieldOf(answer, 'post'), 'cid') };
  } catch (error) {
    if (error instanceof UnreachableError && error.code === 'TimedOut') return {};
    if (!(error instanceof RefusedError)) throw error;
    if (error.status === 429) return { waitMs: 1000 * (error.retryAfterSeconds ?? 1) };
    if (error.code !== 'RecordNotFound') throw error;
    return {};
  }
}

function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal?.addEventListener('abort', stop, { once: true });
  });
}
