import { RefusedError, UnreachableError } from '../errors.ts';
import { fieldOf, textOf } from './fields.ts';
import { type Asking, askJson, type Fetch } from './request.ts';

/** Where methods are called, and by what. A `Session` is one. */
export interface XrpcService {
  /** Base URL. */
  readonly url: string;
  readonly fetch: Fetch;
}

export interface XrpcCall extends Pick<Asking, 'timeoutMs' | 'signal'> {
  params?: Readonly<Record<string, string | number | boolean | undefined>>;
}

export interface XrpcProcedureCall extends XrpcCall {
  /** What is sent as JSON. */
  json?: unknown;
  /** What is sent as it is. */
  bytes?: Blob | Uint8Array<ArrayBuffer>;
  /** Of the bytes. */
  contentType?: string | undefined;
}

const NOT_IMPLEMENTED = 501;

/** The address of a method, see https://atproto.com/specs/xrpc. */
export function methodUrl(service: string, nsid: string, params: XrpcCall['params'] = {}): string {
  const url = new URL(`/xrpc/${nsid}`, service);
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  return url.href;
}

/** Calls a query. Throws {@link RefusedError} or {@link UnreachableError}. */
export function query(service: XrpcService, nsid: string, call: XrpcCall = {}): Promise<unknown> {
  return send(service, nsid, { method: 'GET' }, call);
}

/** Calls a procedure. Throws {@link RefusedError} or {@link UnreachableError}. */
export function procedure(
  service: XrpcService,
  nsid: string,
  { json, bytes, contentType = 'application/octet-stream', ...call }: XrpcProcedureCall = {},
): Promise<unknown> {
  const body = bytes ?? (json === undefined ? undefined : JSON.stringify(json));
  if (body === undefined) return send(service, nsid, { method: 'POST' }, call);
  const headers = { 'content-type': bytes ? contentType : 'application/json' };
  return send(service, nsid, { method: 'POST', headers, body }, call);
}

async function send(
  service: XrpcService,
  nsid: string,
  init: RequestInit,
  { params, ...asking }: XrpcCall,
): Promise<unknown> {
  const url = methodUrl(service.url, nsid, params);
  const { status, headers, body } = await askJson(url, init, { ...asking, fetch: service.fetch });
  if (status >= 300) throw refusal(nsid, { status, headers }, body);
  if (body === undefined) throw new UnreachableError('BadAnswer', `${nsid} did not answer in JSON`);
  return body;
}

/** What an answer that is none says. */
export function refusal(
  nsid: string,
  { status, headers }: Pick<Response, 'status' | 'headers'>,
  body: unknown,
): RefusedError | UnreachableError {
  const code = textOf(body, 'error');
  const message = `${nsid} was answered with ${status} ${code ?? ''}: ${textOf(body, 'message') ?? ''}`;
  if (status >= 500 && status !== NOT_IMPLEMENTED)
    return new UnreachableError('Unreachable', message);
  const seconds = Number(headers.get('retry-after') ?? Number.NaN);
  const retryAfterSeconds = Number.isFinite(seconds) ? seconds : undefined;
  return new RefusedError({ status, code: code ?? 'Unknown', message, retryAfterSeconds });
}

/** What a field of an answer must be. Throws {@link UnreachableError} `BadAnswer`. */
export function expected<T>(value: unknown, name: string, is: (value: unknown) => value is T): T {
  const field = fieldOf(value, name);
  if (is(field)) return field;
  throw new UnreachableError('BadAnswer', `the answer has no '${name}' that can be used`);
}

export function isText(value: unknown): value is string {
  return typeof value === 'string';
}
