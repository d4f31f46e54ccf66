import type { Send } from './session.ts';

/** Sends the hash of each document in place of it. */
export function byHash(send: Send): Send {
  return async (input, init) => {
    if (typeof init?.body !== 'string') return send(input, init);
    const { query, ...request } = JSON.parse(init.body);
    if (typeof query !== 'string') return send(input, init);
    const persistedQuery = { version: 1, sha256Hash: await hashOf(query) };
    const extensions = { ...request.extensions, persistedQuery };
    return send(input, { ...init, body: JSON.stringify({ ...request, extensions }) });
  };
}

/** SHA-256 of a document without blank lines, which some clients leave out: hex. */
export async function hashOf(document: string): Promise<string> {
  const bytes = new TextEncoder().encode(withoutBlankLines(document));
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return [...hash].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

export function withoutBlankLines(document: string): string {
  return document.trim().replaceAll(/\n\s*\n/g, '\n');
}
