import { InvalidInputError, UnreachableError } from '../errors.ts';
import { askJson, type Fetch } from '../http/request.ts';
import { expected, isText, methodUrl, refusal, type XrpcService } from '../http/xrpc.ts';
import { type Did, isDid } from '../identifiers.ts';
import type { Service } from '../routing/node.ts';
import { DpopKey } from './dpop-key.ts';
import { type Pds, serviceAuth } from './pds.ts';

export interface OpenSessionOptions {
  /** Who is signed in at their PDS. */
  pds: Pds;
  /** By what to ask the service; `globalThis.fetch` unless told. */
  fetch?: Fetch | undefined;
  /** The P-256 key pair that sessions are bound to; a new one unless told. */
  keyPair?: CryptoKeyPair | undefined;
  /** Milliseconds for each request that a session needs; 10,000 unless told. */
  timeoutMs?: number | undefined;
}

export interface OpenNodeSessionOptions extends OpenSessionOptions {
  node: Service;
}

export interface OpenGatewaySessionOptions extends OpenSessionOptions {
  gateway: Service;
  /** Whether it is bound to a key, so that nobody else can use it; true unless told. */
  isBound?: boolean;
}

/** What a request is, for its headers. */
export interface RequestLine {
  method?: string | undefined;
  url: string;
}

interface Grant {
  token: string;
  /** When to ask for another, in milliseconds of the clock here. */
  renewAt: number;
}

interface SessionOptions extends OpenSessionOptions {
  service: Service;
  lxm: string;
  key: DpopKey | undefined;
}

/** Milliseconds before its end that a session is renewed. */
const AHEAD_MS = 60_000;
/** Milliseconds for which one is used, whatever the clock here says. */
const LEAST_MS = 30_000;

/**
 * Opens a session of a person at a node.
 *
 * @throws `RefusedError`, `UnreachableError`, and what the OAuth library throws
 * @example
 * const session = await openNodeSession({ pds, node });
 * const response = await session.fetch('/xrpc/com.atproto.repo.describeRepo?repo=' + session.did);
 * console.log(response.status);
 */
export async function openNodeSession({
  node,
  ...options
}: OpenNodeSessionOptions): Promise<Session> {
  const key = await DpopKey.of(options.keyPair);
  const lxm = 'zone.stratos.server.createSession';
  return Session.open({ ...options, service: node, lxm, key });
}

/**
 * Opens a session of a person at a gateway.
 *
 * @throws `RefusedError`, `UnreachableError`, and what the OAuth library throws
 * @example
 * const session = await openGatewaySession({ pds, gateway });
 * const response = await session.fetch('/xrpc/zone.stratos.feed.getTimeline?limit=10');
 * console.log((await response.json()).posts);
 */
export async function openGatewaySession({
  gateway,
  isBound = true,
  ...options
}: OpenGatewaySessionOptions): Promise<Session> {
  const key = isBound ? await DpopKey.of(options.keyPair) : undefined;
  const lxm = 'zone.stratos.gateway.createSession';
  return Session.open({ ...options, service: gateway, lxm, key });
}

/** A session of a person at a service. It renews itself before its end, or when the service wants it. */
export class Session implements XrpcService {
  readonly service: Service;
  /** The person. */
  readonly did: Did;
  readonly #options: SessionOptions;
  #nonce: string | undefined;
  #grant: Grant;
  #renewal: Promise<Grant> | undefined;

  private constructor(options: SessionOptions, opened: Opened) {
    this.#options = options;
    this.service = options.service;
    this.did = opened.did;
    this.#grant = opened;
    this.#nonce = opened.nonce;
  }

  /** @internal */
  static async open(options: SessionOptions): Promise<Session> {
    return new Session(options, await exchange(options, undefined));
  }

  /** Base URL of the service. */
  get url(): string {
    return this.service.url;
  }

  /**
   * Sends a request of the person. Takes an address of the service, or a path there, and can be handed to
   * whatever takes a `fetch`. Where the service wants another nonce or session, it is sent once more, unless
   * its body is a stream.
   *
   * @throws {@link InvalidInputError} `InvalidUri` for an address elsewhere, where the token must not go, and
   * what `fetch` and the opening of a session throw
   */
  readonly fetch = async (address: string | URL, init: RequestInit = {}): Promise<Response> => {
    const url = this.#addressHere(address);
    const grant = await this.#current();
    const response = await this.#send(url, init, grant);
    if (response.status !== 401 || init.body instanceof ReadableStream) return response;
    await response.body?.cancel();
    if (!wantsNonce(response)) return this.#send(url, init, await this.#renewed(grant));
    const again = await this.#send(url, init, grant);
    if (again.status !== 401 || wantsNonce(again)) return again;
    await again.body?.cancel();
    return this.#send(url, init, await this.#renewed(grant));
  };

  /**
   * The headers for one request that something else sends, which then has to see to nonces itself.
   *
   * @throws as {@link Session.fetch}
   */
  async headers({ method = 'GET', url }: RequestLine): Promise<Record<string, string>> {
    return this.#headers({ method, url: this.#addressHere(url) }, await this.#current());
  }

  async #send(url: string, init: RequestInit, grant: Grant): Promise<Response> {
    const { fetch = globalThis.fetch } = this.#options;
    const headers = new Headers(init.headers);
    const line = { method: init.method ?? 'GET', url };
    for (const [name, value] of Object.entries(await this.#headers(line, grant))) {
      headers.set(name, value);
    }
    const response = await fetch(url, { ...init, headers });
    this.#nonce = response.headers.get('dpop-nonce') ?? this.#nonce;
    return response;
  }

  async #headers(line: Required<RequestLine>, { token }: Grant): Promise<Record<string, string>> {
    const { key } = this.#options;
    if (!key) return { authorization: `Bearer ${token}` };
    const method = line.method?.toUpperCase() ?? 'GET';
    const dpop = await key.proof({ method, url: line.url, nonce: this.#nonce, token });
    return { authorization: `DPoP ${token}`, dpop };
  }

  #addressHere(address: string | URL): string {
    const url = new URL(address, this.url);
    if (url.origin === new URL(this.url).origin) return url.href;
    throw new InvalidInputError('InvalidUri', `${url.origin} is not the service of this session`);
  }

  async #current(): Promise<Grant> {
    return Date.now() < this.#grant.renewAt ? this.#grant : this.#renewed(this.#grant);
  }

  /** Whoever wants another at the same time waits for the same one. */
  async #renewed(stale: Grant): Promise<Grant> {
    if (this.#grant !== stale) return this.#grant;
    this.#renewal ??= this.#renew().finally(() => {
      this.#renewal = undefined;
    });
    return this.#renewal;
  }

  async #renew(): Promise<Grant> {
    const { nonce, ...grant } = await exchange(this.#options, this.#nonce);
    this.#nonce = nonce;
    this.#grant = grant;
    return grant;
  }
}

interface Opened extends Grant {
  did: Did;
  nonce: string | undefined;
}

/** Exchanges a token of the PDS for one of the service. */
async function exchange(
  { pds, service, lxm, key, fetch, timeoutMs }: SessionOptions,
  lastNonce: string | undefined,
): Promise<Opened> {
  const url = methodUrl(service.url, lxm);
  const token = await serviceAuth(pds, { audience: service.did, lxm, timeoutMs });
  const ask = async (nonce: string | undefined) => {
    const dpop = await key?.proof({ method: 'POST', url, nonce });
    const headers = { authorization: `Bearer ${token}`, ...(dpop && { dpop }) };
    const answer = await askJson(url, { method: 'POST', headers }, { fetch, timeoutMs });
    return { ...answer, nonce: answer.headers.get('dpop-nonce') ?? nonce };
  };
  const first = await ask(lastNonce);
  const { body, nonce, ...answer } = wantsNonce(first) ? await ask(first.nonce) : first;
  if (answer.status !== 200) throw refusal(lxm, answer, body);
  const expiresAt = Date.parse(expected(body, 'expiresAt', isText));
  if (Number.isNaN(expiresAt)) throw new UnreachableError('BadAnswer', `${lxm} says no end`);
  return {
    did: expected(body, 'did', isDid),
    token: expected(body, 'token', isText),
    renewAt: Math.max(expiresAt - AHEAD_MS, Date.now() + LEAST_MS),
    nonce,
  };
}

function wantsNonce({ status, headers }: Pick<Response, 'status' | 'headers'>): boolean {
  return status === 401 && /use_dpop_nonce/.test(headers.get('www-authenticate') ?? '');
}
