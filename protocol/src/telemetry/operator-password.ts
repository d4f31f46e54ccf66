import { createHash, timingSafeEqual } from 'node:crypto';

const USER = 'admin';

/** Whether an `Authorization` has the operator's password: `Basic admin:…` or `Bearer …`. */
export function hasPassword(
  authorization: string | undefined,
  password: string | undefined,
): boolean {
  const given = presented(authorization);
  const isEqual = timingSafeEqual(digest(given ?? ''), digest(password ?? ''));
  return isEqual && given !== undefined && password !== undefined;
}

function presented(authorization = ''): string | undefined {
  const [, scheme = '', credentials = ''] = authorization.match(/^(\w+) (.+)$/) ?? [];
  if (scheme.toLowerCase() === 'bearer') return credentials;
  if (scheme.toLowerCase() !== 'basic') return undefined;
  const pair = Buffer.from(credentials, 'base64').toString();
  return pair.startsWith(`${USER}:`) ? pair.slice(USER.length + 1) : undefined;
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
