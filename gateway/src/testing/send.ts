/** A whole answer, with what may differ from one request to the next left out. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

const VOLATILE = new Set(['date', 'connection', 'keep-alive']);

export async function send(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, init);
  const headers = [...response.headers].filter(([name]) => !VOLATILE.has(name));
  return {
    status: response.status,
    headers: Object.fromEntries(headers),
    body: await response.text(),
  };
}

export function authorization(token: string | undefined): Record<string, string> {
  return token ? { authorization: token.includes(' ') ? token : `Bearer ${token}` } : {};
}
