import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { returnPath } from './return-to.ts';

const flowState = z.object({ secretHash: z.string(), returnTo: z.string() });

/** Somebody's way through their PDS, bound to the browser that began it. */
export interface Flow {
  /** For a cookie; only its hash is kept. */
  secret: string;
  /** What travels with the OAuth flow, on our side of it. */
  state: string;
}

/** @param returnTo - a path here */
export function beginFlow(returnTo: string): Flow {
  const secret = randomBytes(32).toString('base64url');
  const secretHash = digest(secret).toString('base64url');
  return { secret, state: JSON.stringify({ secretHash, returnTo }) };
}

/** Where to go on; undefined when not this browser began the flow. */
export function resumeFlow(state: unknown, secret: string | undefined): string | undefined {
  const parsed = flowState.safeParse(typeof state === 'string' ? JSON.parse(state) : undefined);
  if (!parsed.success || secret === undefined) return undefined;
  const expected = Buffer.from(parsed.data.secretHash, 'base64url');
  const actual = digest(secret);
  const isSame = expected.length === actual.length && timingSafeEqual(expected, actual);
  return isSame ? returnPath(parsed.data.returnTo) : undefined;
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
