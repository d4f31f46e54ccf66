import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { lexParse } from '@atproto/lex-json';
import type { DidDocument } from '@stratos/protocol';
import { type Did, type DidKey, signingKeysOf, toDid } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { Answer } from './answer.ts';

/** A method as its lexicon describes it. */
export interface Method {
  readonly $nsid: string;
  readonly $output?: { readonly encoding?: unknown; readonly schema?: unknown };
}

export interface CallOptions {
  /** The whole `Authorization` header. */
  authorization?: string | undefined;
  headers?: Record<string, string>;
  params?: Params;
  /** Sent as JSON unless it is bytes. */
  body?: unknown;
  method?: string;
  signal?: AbortSignal;
}

export type Params = Readonly<
  Record<string, string | number | boolean | readonly string[] | undefined>
>;

interface Schema {
  safeParse(value: unknown): { success: boolean; reason?: Error };
}

const LONGEST_WAIT_SECONDS = 70;
const MAX_TRIES = 3;

/** An address at which no node answers. */
export class NoNodeError extends Error {
  override name = 'NoNodeError';
}

/** The node under test, by its URL alone. */
export class RemoteNode {
  readonly url: URL;
  readonly did: Did;
  readonly didDocument: DidDocument;
  /** Boundaries that it keeps. */
  readonly domains: readonly string[];
  /** Requests sent up to now. */
  requests = 0;

  private constructor(url: URL, didDocument: DidDocument, domains: readonly string[]) {
    this.url = url;
    this.did = toDid(didDocument.id);
    this.didDocument = didDocument;
    this.domains = domains;
  }

  /** Asks a node who it is. Throws {@link NoNodeError} if nothing there looks like one. */
  static async find(url: URL): Promise<RemoteNode> {
    const ask = async (path: string) => {
      const response = await fetch(new URL(path, url), { signal: AbortSignal.timeout(30_000) });
      return response.ok ? ((await response.json()) as Record<string, unknown>) : {};
    };
    try {
      const document = (await ask('/.well-known/did.json')) as unknown as DidDocument;
      const { domains = [] } = await ask(`/xrpc/${zone.stratos.server.listDomains.$nsid}`);
      return new RemoteNode(url, document, domains as string[]);
    } catch (cause) {
      throw new NoNodeError(`There is no Stratos node at ${url.origin}`, { cause });
    }
  }

  /** The keys that it signs with now. */
  get keys(): DidKey[] {
    return signingKeysOf(this.didDocument);
  }

  /** Any request; one that came too soon is sent again, unless told otherwise. */
  async request(path: string, options: CallOptions & { patient?: boolean } = {}): Promise<Answer> {
    const { authorization, headers, params = {}, body, patient = true, signal } = options;
    const url = new URL(path, this.url);
    for (const [name, value] of Object.entries(params)) {
      for (const each of [value ?? []].flat()) url.searchParams.append(name, String(each));
    }
    const isJson = body !== undefined && !isRaw(body);
    const init: RequestInit = {
      method: options.method ?? (body === undefined ? 'GET' : 'POST'),
      headers: {
        ...(isJson && { 'content-type': 'application/json' }),
        ...(authorization !== undefined && { authorization }),
        ...headers,
      },
      redirect: 'manual',
      signal: signal ?? AbortSignal.timeout(60_000),
      ...(body !== undefined && {
        body: isRaw(body) ? body : JSON.stringify(body),
        duplex: 'half',
      }),
    };
    const send = async () => {
      this.requests++;
      return Answer.of(await fetch(url, init));
    };
    return patient ? patiently(send) : send();
  }

  /** Calls an XRPC method. Whatever it answers must keep to its lexicon, or be an error that says why. */
  async call(method: Method, options: CallOptions & { patient?: boolean } = {}): Promise<Answer> {
    const answer = await this.request(`/xrpc/${method.$nsid}`, options);
    checkShape(method, answer);
    return answer;
  }

  /** The address of a stream. */
  streamUrl(method: Method, params: Params = {}): URL {
    const url = new URL(`/xrpc/${method.$nsid}`, this.url);
    url.protocol = url.protocol.replace('http', 'ws');
    for (const [name, value] of Object.entries(params)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    return url;
  }
}

/** Sends again what came too soon, when the node says how long to wait. */
export async function patiently(send: () => Promise<Answer>): Promise<Answer> {
  for (let tries = 1; ; tries++) {
    const answer = await send();
    const wait = Number(answer.headers.get('retry-after') ?? Number.NaN);
    if (answer.status !== 429 || tries === MAX_TRIES || !(wait <= LONGEST_WAIT_SECONDS))
      return answer;
    await sleep(wait * 1000);
  }
}

/** Requires of any answer what its lexicon says of it. */
function checkShape({ $nsid, $output }: Method, answer: Answer): void {
  if (answer.status === 204 || answer.bytes.length === 0) return;
  if (answer.status >= 400) {
    assert.equal(answer.contentType, 'application/json', `${$nsid}: an error that is not JSON`);
    const { error, message, ...more } = answer.json;
    assert.equal(typeof error, 'string', `${$nsid}: an error without a name`);
    assert.equal(typeof message, 'string', `${$nsid}: an error without a message`);
    assert.deepEqual(more, {}, `${$nsid}: an error with more than name and message`);
    return;
  }
  if ($output?.encoding !== 'application/json' || answer.status !== 200) return;
  assert.equal(answer.contentType, 'application/json');
  const result = ($output.schema as Schema).safeParse(lexParse(answer.text));
  assert.ok(result.success, `${$nsid} answered against its lexicon: ${result.reason?.message}`);
}

function isRaw(body: unknown): body is Uint8Array<ArrayBuffer> | ReadableStream | string {
  return typeof body === 'string' || ArrayBuffer.isView(body) || body instanceof ReadableStream;
}
