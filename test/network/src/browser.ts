import { once } from 'node:events';
import { type IncomingHttpHeaders, request } from 'node:http';
import { text } from 'node:stream/consumers';

const MAX_REDIRECTS = 20;

/** Where a navigation ended. */
export interface Page {
  readonly url: URL;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** How a navigation starts; without `from` it is as if the address had been typed. */
export interface NavigationOptions {
  readonly from?: URL;
}

export interface BrowserOptions {
  /** Origins that are reached elsewhere, as behind a proxy that ends TLS. */
  readonly reachedAt?: Readonly<Record<string, string>>;
}

/**
 * What an OAuth provider sees of a browser: navigations with their `sec-fetch-*` headers, redirects, and
 * cookies kept for each host. On `node:http`, because `fetch` does not let those headers be set.
 */
export class Browser {
  readonly #cookies = new Map<string, Map<string, string>>();
  readonly #reachedAt: Readonly<Record<string, string>>;

  constructor({ reachedAt = {} }: BrowserOptions = {}) {
    this.#reachedAt = reachedAt;
  }

  /** Opens an address and follows redirects to the page where they end. */
  async navigate(address: URL | string, options: NavigationOptions = {}): Promise<Page> {
    let url = new URL(address);
    let site = options.from ? siteRelation(options.from, url) : 'none';
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      const page = await this.#send('GET', url, {
        'sec-fetch-mode': 'navigate',
        'sec-fetch-dest': 'document',
        'sec-fetch-site': site,
        ...(options.from ? { referer: options.from.href } : {}),
      });
      const location = page.headers.location;
      if (page.status < 300 || page.status > 399 || !location) return page;
      const next = new URL(location, url);
      if (site !== 'none') site = siteRelation(url, next);
      url = next;
    }
    throw new Error(`Too many redirects on the way from ${new URL(address).origin}`);
  }

  /** Does what the script of a page does with `fetch`: a same-origin JSON request. */
  async postJson(page: URL, path: string, body: unknown): Promise<Page> {
    const url = new URL(path, page);
    return this.#send(
      'POST',
      url,
      {
        'sec-fetch-mode': 'same-origin',
        'sec-fetch-dest': 'empty',
        'sec-fetch-site': 'same-origin',
        'content-type': 'application/json',
        'x-csrf-token': this.cookie(page, 'csrf-token') ?? '',
        origin: page.origin,
        referer: page.href,
      },
      JSON.stringify(body),
    );
  }

  cookie(url: URL, name: string): string | undefined {
    return this.#cookies.get(url.hostname)?.get(name);
  }

  async #send(
    method: string,
    url: URL,
    headers: Record<string, string>,
    body?: string,
  ): Promise<Page> {
    const cookie = [...(this.#cookies.get(url.hostname) ?? [])]
      .map(([name, value]) => `${name}=${value}`)
      .join('; ');
    const at = new URL(url.pathname + url.search, this.#reachedAt[url.origin] ?? url.origin);
    const outgoing = request(at, {
      method,
      headers: {
        host: url.host,
        accept: 'text/html,application/json',
        ...headers,
        ...(cookie ? { cookie } : {}),
      },
    });
    outgoing.end(body);
    const [response] = await once(outgoing, 'response');
    for (const line of response.headers['set-cookie'] ?? []) this.#keep(url.hostname, line);
    return {
      url,
      status: response.statusCode,
      headers: response.headers,
      body: await text(response),
    };
  }

  #keep(host: string, line: string): void {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
    const name = pair.slice(0, pair.indexOf('='));
    const value = pair.slice(pair.indexOf('=') + 1);
    const jar = this.#cookies.get(host) ?? new Map<string, string>();
    this.#cookies.set(host, jar);
    if (attributes.some(isExpired)) jar.delete(name);
    else jar.set(name, value);
  }
}

function isExpired(attribute: string): boolean {
  const [name = '', value = ''] = attribute.split('=');
  if (name.toLowerCase() === 'max-age') return Number(value) <= 0;
  if (name.toLowerCase() === 'expires') return new Date(value).getTime() <= Date.now();
  return false;
}

function siteRelation(from: URL, to: URL): string {
  if (from.origin === to.origin) return 'same-origin';
  return from.hostname === to.hostname ? 'same-site' : 'cross-site';
}
