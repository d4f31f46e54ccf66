import type { LexMap } from '@atproto/lex-data';
import { lexStringify } from '@atproto/lex-json';
import type { Did } from '@stratos/protocol';
import { com } from '@stratos/protocol/lexicons';

/** Sends authorized requests to a person's PDS, as an OAuth session does. */
export interface PdsSession {
  fetchHandler(path: string, init: RequestInit): Promise<Response>;
}

/** Why a PDS did not do what it was asked. */
export class PdsError extends Error {
  override name = 'PdsError';
  /** False if asking again cannot help until the person enrolls again. */
  readonly isTransient: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    options: ErrorOptions & { isTransient: boolean; retryAfterMs?: number },
  ) {
    super(message, options);
    this.isTransient = options.isTransient;
    this.retryAfterMs = options.retryAfterMs;
  }
}

export interface RecordAddress {
  collection: string;
  rkey: string;
}

/** A person's public repo, as far as the node writes to it. Every operation can be repeated. */
export class PdsRepo {
  readonly #did: Did;
  readonly #session: PdsSession;

  constructor(did: Did, session: PdsSession) {
    this.#did = did;
    this.#session = session;
  }

  async putRecord(address: RecordAddress, record: LexMap): Promise<void> {
    // @NOTE a stub's `service` has a fragment, which its lexicon's format `did` does not allow
    const body = { repo: this.#did, ...address, record, validate: false };
    await this.#call(com.atproto.repo.putRecord.$nsid, body);
  }

  async deleteRecord(address: RecordAddress): Promise<void> {
    await this.#call(com.atproto.repo.deleteRecord.$nsid, { repo: this.#did, ...address });
  }

  async #call(nsid: string, body: LexMap): Promise<void> {
    const response = await this.#session.fetchHandler(`/xrpc/${nsid}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: lexStringify(body),
    });
    const text = await response.text();
    if (response.ok) return;
    const retryAfter = Number(response.headers.get('Retry-After'));
    throw new PdsError(`the PDS answered ${response.status} ${errorName(text)}`, {
      isTransient: response.status >= 500 || response.status === 429 || response.status === 408,
      ...(retryAfter > 0 && { retryAfterMs: retryAfter * 1000 }),
    });
  }
}

function errorName(text: string): string {
  try {
    const { error } = JSON.parse(text);
    return String(error).slice(0, 64);
  } catch {
    return '';
  }
}
