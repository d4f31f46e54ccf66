import type { IncomingMessage } from 'node:http';

const JSON_TYPE = /^application\/json\b/i;

/**
 * Whether a script of one of our own pages sent a request, as its browser says. Nobody else's page can make a
 * browser say so, and neither can a form or a link.
 *
 * @param origins - our own
 */
export function isFromOwnPage(
  { headers, method }: IncomingMessage,
  origins: readonly string[],
): boolean {
  const { origin, 'sec-fetch-site': site, 'sec-fetch-mode': mode } = headers;
  if (origin !== undefined && !origins.includes(origin)) return false;
  if (site !== undefined && site !== 'same-origin') return false;
  if (method === 'GET' || method === 'HEAD') return site === 'same-origin' && mode !== 'navigate';
  return (site ?? origin) !== undefined && JSON_TYPE.test(headers['content-type'] ?? '');
}
