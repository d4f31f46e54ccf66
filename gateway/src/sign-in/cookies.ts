import type { IncomingMessage } from 'node:http';
import type { CookieOptions } from 'express';

/** A cookie of the gateway's own pages, which no script reads and no other site sends. */
export interface PageCookie {
  name: string;
  options: CookieOptions;
}

/** @param publicUrl - on https the cookie is bound to exactly this host */
export function pageCookie(name: string, publicUrl: string): PageCookie {
  const secure = publicUrl.startsWith('https:');
  return {
    name: secure ? `__Host-${name}` : name,
    options: { httpOnly: true, sameSite: 'lax', secure, path: '/' },
  };
}

/** What a request has of a cookie. */
export function readCookie({ headers }: IncomingMessage, name: string): string | undefined {
  const pairs = (headers.cookie ?? '').split(';').map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
}
