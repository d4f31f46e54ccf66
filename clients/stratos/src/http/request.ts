import { UnreachableError } from '../errors.ts';

export type Fetch = (url: string, init?: RequestInit) => Promise<Response>;

/** How to ask. */
export interface Asking {
  /** By what to ask; `globalThis.fetch` unless told. A server that resolves names for others gives a guarded one. */
  fetch?: Fetch | undefined;
  /** Milliseconds for an answer and all of its body. */
  timeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
}

const TIMEOUT_MS = 10_000;
/** More than any answer that is read as a whole. */
const MAX_BYTES = 8 * 1024 * 1024;

export interface Answer {
  status: number;
  headers: Headers;
  /** The body as JSON; undefined where it is none. */
  body: unknown;
}

/** Asks and reads the answer as JSON. Throws {@link UnreachableError}, or what `signal` was aborted with. */
export async function askJson(url: string, init: RequestInit, asking: Asking): Promise<Answer> {
  const { fetch = globalThis.fetch, timeoutMs = TIMEOUT_MS, signal } = asking;
  const timeout = AbortSignal.timeout(timeoutMs);
  const either = signal ? AbortSignal.any([signal, timeout]) : timeout;
  return reached(url, async () => {
    return answerOf(await fetch(url, { ...init, signal: either }));
  });
}

/** What a response says, read as JSON. Throws {@link UnreachableError} where it is too much. */
export async function answerOf(response: Response): Promise<Answer> {
  const { status, headers } = response;
  return { status, headers, body: parsed(await boundedText(response)) };
}

/** What comes of asking. Where nobody answers that is an {@link UnreachableError}. */
export async function reached<T>(url: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (cause) {
    const who = URL.canParse(url) ? new URL(url).origin : url;
    if (isTimeout(cause)) {
      throw new UnreachableError('TimedOut', `${who} did not answer in time`, { cause });
    }
    // @NOTE all that fetch itself throws, in Node and in browsers
    if (!(cause instanceof TypeError)) throw cause;
    throw new UnreachableError('Unreachable', `${who} cannot be reached`, { cause });
  }
}

function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'TimeoutError';
}

async function boundedText({ body, url }: Response): Promise<string> {
  const decoder = new TextDecoder();
  const reader = body?.getReader();
  let text = '';
  for (let length = 0; ; ) {
    const { value } = (await reader?.read()) ?? {};
    if (!value) return text + decoder.decode();
    length += value.length;
    if (length > MAX_BYTES) {
      await reader?.cancel();
      throw new UnreachableError('BadAnswer', `${url} answers with too much`);
    }
    text += decoder.decode(value, { stream: true });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
