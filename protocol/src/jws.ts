import { type KeyObject, subtle, type webcrypto } from 'node:crypto';
import { signCompact, verifyCompact } from './compact-signature.ts';

const MAX_LENGTH = 8192;

/** A JWT in its parts, of which nothing is checked yet. */
export interface ParsedJwt {
  header: unknown;
  claims: unknown;
  signed: Uint8Array;
  signature: Uint8Array;
}

/** Takes a compact JWT apart; undefined if it is none. */
export function parseJwt(jwt: string): ParsedJwt | undefined {
  const parts = jwt.length <= MAX_LENGTH ? jwt.split('.') : [];
  const [header, claims, signature, ...rest] = parts;
  if (!header || !claims || !signature || rest.length > 0) return undefined;
  try {
    return {
      header: jsonOf(header),
      claims: jsonOf(claims),
      signed: Buffer.from(`${header}.${claims}`),
      signature: Buffer.from(signature, 'base64url'),
    };
  } catch {
    return undefined;
  }
}

/** True if the signature of a JWT is ECDSA over SHA-256 by a P-256 key, given by either half. */
export function isSignedEs256({ signed, signature }: ParsedJwt, key: KeyObject): boolean {
  return verifyCompact(key, signed, signature);
}

/** The same, while the main thread does something else. */
export async function isSignedEs256Aside(
  { signed, signature }: ParsedJwt,
  key: webcrypto.CryptoKey,
): Promise<boolean> {
  return subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, signature, signed);
}

/** A compact JWT, signed with a P-256 key. */
export function signEs256(header: object, claims: object, key: KeyObject): string {
  const signed = [header, claims].map(encoded).join('.');
  const signature = signCompact(key, Buffer.from(signed));
  return `${signed}.${Buffer.from(signature).toString('base64url')}`;
}

function jsonOf(part: string): unknown {
  return JSON.parse(Buffer.from(part, 'base64url').toString());
}

function encoded(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
