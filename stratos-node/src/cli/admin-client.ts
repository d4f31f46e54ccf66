import { CliError } from '@stratos/protocol/cli';
import { z } from 'zod';

type Params = Record<string, string | number | boolean | undefined>;

const refusal = z.object({ error: z.string(), message: z.string().optional() });

/** Calls a node's methods as its operator. Throws {@link CliError} for every answer that says no. */
export class AdminClient {
  readonly #url: URL;
  readonly #authorization: string;

  constructor(url: URL, password: string) {
    this.#url = url;
    this.#authorization = `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`;
  }

  async query<Answer>(nsid: string, params: Params = {}): Promise<Answer> {
    return (await this.open(nsid, params)).json();
  }

  async procedure<Answer>(nsid: string, body: Record<string, unknown>): Promise<Answer> {
    const response = await this.#send(nsid, {}, { method: 'POST', body: JSON.stringify(body) });
    return response.json();
  }

  /** An answer that is not JSON, as a stream. */
  async open(nsid: string, params: Params): Promise<Response> {
    return this.#send(nsid, params, {});
  }

  /** Every item of a method that answers in pages. */
  async *pages<Page extends { cursor?: string | number }>(
    nsid: string,
    params: Params,
  ): AsyncGenerator<Page> {
    let cursor: string | number | undefined;
    do {
      const page: Page = await this.query(nsid, { ...params, cursor });
      yield page;
      cursor = page.cursor;
    } while (cursor !== undefined);
  }

  async #send(nsid: string, params: Params, init: RequestInit): Promise<Response> {
    const url = new URL(`/xrpc/${nsid}`, this.#url);
    for (const [name, value] of Object.entries(params)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const headers = {
      authorization: this.#authorization,
      ...(init.body !== undefined && { 'content-type': 'application/json' }),
    };
    const response = await fetch(url, { ...init, headers, redirect: 'error' }).catch((cause) => {
      throw new CliError(`${url.origin} does not answer`, { cause });
    });
    if (!response.ok) throw new CliError(await refusalOf(response));
    return response;
  }
}

async function refusalOf(response: Response): Promise<string> {
  if (response.status === 401) return 'the node does not take this password';
  const { success, data } = refusal.safeParse(await response.json().catch(() => undefined));
  return success ? `${data.error}: ${data.message ?? ''}` : `the node answered ${response.status}`;
}
