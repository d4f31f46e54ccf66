import { type Asking, answerOf, reached } from '../http/request.ts';
import { methodUrl, refusal } from '../http/xrpc.ts';
import type { Session } from '../session/session.ts';

export interface ExportRepoOptions extends Pick<Asking, 'signal'> {
  /** A revision that is had already: only what is newer. */
  since?: string | undefined;
  /** Told after each part how many bytes have come so far. How many there will be is not known. */
  onProgress?: ((bytes: number) => void) | undefined;
  /** Milliseconds for the answer to begin, and for each part of it; 30,000 unless told. */
  timeoutMs?: number | undefined;
}

const METHOD = 'zone.stratos.sync.getRepo';

/**
 * The repo of the person at the node of the session, as a CAR: newest commit, tree and all records, of one
 * moment. It comes as fast as it is read. A stream that ends without an error is the whole repo; cancelling it,
 * or aborting `signal`, ends the export at the node too.
 *
 * @throws `RefusedError` such as `RepoNotFound`, `UnreachableError`, or what `signal` was aborted with; the
 * stream fails with the last two
 * @example
 * const car = await exportRepo(session, { onProgress: (bytes) => console.log(`${bytes} bytes`) });
 * console.log(await new Response(car).blob());
 */
export async function exportRepo(
  session: Session,
  { since, onProgress, signal, timeoutMs = 30_000 }: ExportRepoOptions = {},
): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  const url = methodUrl(session.url, METHOD, { did: session.did, since });
  const cut = new AbortController();
  const either = signal ? AbortSignal.any([signal, cut.signal]) : cut.signal;
  const inTime = async <T>(ask: () => Promise<T>): Promise<T> => {
    const late = () => cut.abort(new DOMException('nothing came', 'TimeoutError'));
    const timer = setTimeout(late, timeoutMs);
    return reached(url, ask).finally(() => clearTimeout(timer));
  };
  const response = await inTime(() => session.fetch(url, { signal: either }));
  const reader = response.ok ? response.body?.getReader() : undefined;
  if (!reader) throw refusal(METHOD, response, (await inTime(() => answerOf(response))).body);
  let bytes = 0;
  return new ReadableStream(
    {
      async pull(controller) {
        const { value } = await inTime(() => reader.read());
        if (!value) return controller.close();
        bytes += value.length;
        onProgress?.(bytes);
        controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}
