import { Agent, type Dispatcher, request } from 'undici';

/** A whole answer, with what may differ from one request to the next left out. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

const VOLATILE = new Set(['date', 'connection', 'keep-alive']);

/** Lets go of a connection before a server does, which would be too late for what is just being sent. */
const dispatcher = new Agent({ keepAliveTimeout: 1_000, keepAliveMaxTimeout: 1_000 });

interface Sent {
  method?: Dispatcher.HttpMethod;
  headers?: Record<string, string>;
  body?: string;
}

/** Follows no redirects. */
export async function send(url: string, sent: Sent = {}): Promise<Answer> {
  const { statusCode: status, headers, body } = await request(url, { dispatcher, ...sent });
  const told = Object.entries(headers).filter(([name]) => !VOLATILE.has(name));
  return {
    status,
    headers: Object.fromEntries(told.map(([name, value]) => [name, String(value)])),
    body: await body.text(),
  };
}

export function authorization(token: string | undefined): Record<string, string> {
  return token ? { authorization: token.includes(' ') ? token : `Bearer ${token}` } : {};
}
