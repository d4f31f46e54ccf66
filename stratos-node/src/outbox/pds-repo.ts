import type { LexMap } from '@atproto/lex-data';
import { lexStringify } from '@atproto/lex-json';
import { type Did, parseStub } from '@stratos/protocol';
import { com } from '@stratos/protocol/lexicons';
import { z } from 'zod';

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
  /** Name of the error that the PDS answered with. */
  readonly code: string | undefined;

  constructor(
    message: string,
    options: ErrorOptions & { isTransient: boolean; retryAfterMs?: number; code?: string },
  ) {
    super(message, options);
    this.code = options.code;
    this.isTransient = options.isTransient;
    this.retryAfterMs = options.retryAfterMs;
  }
}

export interface RecordAddress {
  collection: string;
  rkey: string;
}

export interface ListedRecord {
  rkey: string;
  /** As JSON. */
  value: Record<string, unknown>;
}

const listAnswer = z.object({
  records: z.array(z.object({ uri: z.string(), value: z.record(z.string(), z.unknown()) })),
});

const recordAnswer = z.object({ value: z.record(z.string(), z.unknown()) });

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

  /** Removes a stub, unless it is one of another node by now, to which the person moved. */
  async deleteStub(address: RecordAddress, nodeDid: Did): Promise<void> {
    const record = await this.#find(address);
    if (parseStub(record)?.nodeDid === nodeDid) await this.deleteRecord(address);
  }

  /** The records of a collection that has few of them. */
  async listRecords(collection: string): Promise<ListedRecord[]> {
    const nsid = com.atproto.repo.listRecords.$nsid;
    const query = new URLSearchParams({ repo: this.#did, collection, limit: '100' });
    const text = await this.#send(`${nsid}?${query}`, { method: 'GET' });
    const answer = listAnswer.safeParse(parseJson(text));
    if (!answer.success) throw new PdsError('the PDS answered nonsense', { isTransient: true });
    return answer.data.records.map(({ uri, value }) => ({
      rkey: uri.slice(uri.lastIndexOf('/') + 1),
      value,
    }));
  }

  /** A record as JSON, or undefined if there is none. */
  async #find(address: RecordAddress): Promise<unknown> {
    const query = new URLSearchParams({ repo: this.#did, ...address });
    try {
      const nsid = com.atproto.repo.getRecord.$nsid;
      const answer = parseJson(await this.#send(`${nsid}?${query}`, { method: 'GET' }));
      return recordAnswer.parse(answer).value;
    } catch (error) {
      if (error instanceof PdsError && error.code === 'RecordNotFound') return undefined;
      if (error instanceof PdsError) throw error;
      throw new PdsError('the PDS answered nonsense', { cause: error, isTransient: true });
    }
  }

  async #call(nsid: string, body: LexMap): Promise<void> {
    await this.#send(nsid, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: lexStringify(body),
    });
  }

  async #send(method: string, init: RequestInit): Promise<string> {
    const response = await this.#session.fetchHandler(`/xrpc/${method}`, init);
    const text = await response.text();
    if (response.ok) return text;
    const retryAfter = Number(response.headers.get('Retry-After'));
    throw new PdsError(`the PDS answered ${response.status} ${errorName(text)}`, {
      code: errorName(text),
      isTransient: response.status >= 500 || response.status === 429 || response.status === 408,
      ...(retryAfter > 0 && { retryAfterMs: retryAfter * 1000 }),
    });
  }
}

function errorName(text: string): string {
  const answer = z.object({ error: z.string() }).safeParse(parseJson(text));
  return answer.success ? answer.data.error.slice(0, 64) : '';
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
