/** An XRPC method that answered with an error. */
export class XrpcCallError extends Error {
  override name = 'XrpcCallError';
  readonly status: number;
  /** The `error` of the answer. */
  readonly code: string | undefined;

  constructor(nsid: string, status: number, code: string | undefined, message: string | undefined) {
    super(`${nsid} answered ${status} ${code ?? ''}: ${message ?? ''}`);
    this.status = status;
    this.code = code;
  }
}

export interface XrpcCall {
  /** The whole `Authorization` header. */
  readonly authorization?: string;
  readonly params?: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** Calls a query. Throws {@link XrpcCallError}. */
export async function query<T>(service: string, nsid: string, call: XrpcCall = {}): Promise<T> {
  return send<T>(service, nsid, call, {});
}

/** Calls a procedure. Throws {@link XrpcCallError}. */
export async function procedure<T>(
  service: string,
  nsid: string,
  body: unknown,
  call: XrpcCall = {},
): Promise<T> {
  return send<T>(service, nsid, call, {
    method: 'POST',
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
}

async function send<T>(
  service: string,
  nsid: string,
  call: XrpcCall,
  init: { method?: string; body?: string; headers?: Record<string, string> },
): Promise<T> {
  const url = new URL(`/xrpc/${nsid}`, service);
  for (const [name, value] of Object.entries(call.params ?? {})) {
    for (const each of [value ?? []].flat()) url.searchParams.append(name, each);
  }
  const response = await fetch(url, {
    ...init,
    headers: {
      ...init.headers,
      ...(call.authorization ? { authorization: call.authorization } : {}),
    },
  });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) {
    const { error, message } = answer as { error?: string; message?: string };
    throw new XrpcCallError(nsid, response.status, error, message);
  }
  return answer as T;
}
