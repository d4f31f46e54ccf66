import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';

/** Milliseconds that a person has to finish at the PDS. */
export const FLOW_LIFETIME_MS = 10 * 60_000;

const flowState = z.object({ secretHash: z.string(), returnTo: z.string().optional() });

/** One person's way through the consent page, bound to the browser that began it. */
export interface Flow {
  /** Goes into a cookie; only its hash is stored. */
  secret: string;
  cookieName: string;
  /** What travels with the OAuth flow, on our side of it. */
  state: string;
}

/** @param returnTo - where the browser goes once the person is enrolled */
export function beginFlow(returnTo: string | undefined): Flow {
  const secret = randomBytes(32).toString('base64url');
  const secretHash = hash(secret);
  const state = JSON.stringify({ secretHash, ...(returnTo !== undefined && { returnTo }) });
  return { secret, cookieName: cookieNameOf(secretHash), state };
}

/**
 * Checks that the browser with these cookies is the one that began the flow.
 *
 * @returns undefined if it is not
 */
export function resumeFlow(
  state: string | undefined,
  cookies: ReadonlyMap<string, string>,
): { cookieName: string; returnTo: string | undefined } | undefined {
  const parsed = flowState.safeParse(parseJson(state));
  if (!parsed.success) return undefined;
  const { secretHash, returnTo } = parsed.data;
  const cookieName = cookieNameOf(secretHash);
  const secret = cookies.get(cookieName);
  if (secret === undefined) return undefined;
  const isSame = timingSafeEqual(digest(hash(secret)), digest(secretHash));
  return isSame ? { cookieName, returnTo } : undefined;
}

/** The cookies of a request. */
export function parseCookies(header: string | undefined): Map<string, string> {
  const pairs = (header ?? '').split(';').map((pair) => pair.trim().split('='));
  return new Map(pairs.map(([name = '', ...value]) => [name, value.join('=')]));
}

// @NOTE cookies are shared by all ports of a host: flows with two nodes at once need names of their own
function cookieNameOf(secretHash: string): string {
  return `stratos_flow_${secretHash.slice(0, 12)}`;
}

function hash(secret: string): string {
  return digest(secret).toString('base64url');
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}
