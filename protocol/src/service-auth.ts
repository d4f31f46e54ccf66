import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { atprotoKeyOf } from './did-document.ts';
import { AuthRequiredError } from './errors.ts';
import { type Did, type DidKey, isDid } from './identifiers.ts';
import type { IdentityResolver } from './identity.ts';
import { parseJwt } from './jws.ts';
import type { ReplayStore } from './replay-store.ts';
import { jwtAlgOf, randomId, type SigningKey, verifySignatureAside } from './signing-key.ts';

/** Longest lifetime in seconds of a service-auth token, except where a method says otherwise. */
export const SERVICE_AUTH_MAX_LIFETIME = 300;
const CLOCK_SKEW = 30;
/** How often at most forged tokens of one issuer make us ask for its key anew. */
const REFRESH_EVERY_MS = 10_000;

const headerSchema = z.object({
  typ: z.literal('JWT'),
  alg: z.enum(['ES256', 'ES256K']),
  kid: z.literal('#atproto').optional(),
  crit: z.undefined().optional(),
});
const claimsSchema = z.object({
  iss: z.custom<Did>(isDid),
  aud: z.string(),
  lxm: z.string(),
  iat: z.int(),
  exp: z.int(),
  nbf: z.int().optional(),
  jti: z.string().min(1).max(256),
});

export interface ServiceAuthVerifier {
  /**
   * Who signed `jwt` for the method `lxm` of this service. Each token is good for one call.
   *
   * @throws {@link AuthRequiredError} for everything that protocol.md does not allow
   */
  verify(jwt: string, lxm: string, options?: { maxLifetimeSeconds?: number }): Promise<Did>;
}

export interface ServiceAuthVerifierOptions {
  /** Our own DID. */
  audience: Did;
  identity: Pick<IdentityResolver, 'didDocument'>;
  replayStore: ReplayStore;
}

/** Checks service-auth JWTs, see https://atproto.com/specs/xrpc#inter-service-authentication-jwt. */
export function createServiceAuthVerifier(
  options: ServiceAuthVerifierOptions,
): ServiceAuthVerifier {
  const { audience, identity, replayStore } = options;
  const refreshed = new LRUCache<Did, true>({ max: 10_000, ttl: REFRESH_EVERY_MS });
  return {
    async verify(jwt, lxm, { maxLifetimeSeconds = SERVICE_AUTH_MAX_LIFETIME } = {}) {
      const token = parseToken(jwt);
      const { claims } = token;
      if (claims.aud !== audience && !claims.aud.startsWith(`${audience}#`))
        refuse('is for another audience');
      if (claims.lxm !== lxm) refuse('is for another method');
      checkTimes(claims, maxLifetimeSeconds, replayStore.remembersSince);
      if (!(await isSignedBy(token, identity, refreshed))) refuse('has a bad signature');
      const expiresAt = new Date((claims.exp + CLOCK_SKEW) * 1000);
      const first = await replayStore
        .claim(`${claims.iss} ${claims.jti}`, expiresAt)
        .catch((cause) => {
          throw new AuthRequiredError('the token cannot be checked for replay now', { cause });
        });
      if (!first) refuse('was already used');
      return claims.iss;
    },
  };
}

interface Token {
  header: z.infer<typeof headerSchema>;
  claims: z.infer<typeof claimsSchema>;
  signed: Uint8Array;
  signature: Uint8Array;
}

function parseToken(jwt: string): Token {
  const parsed = parseJwt(jwt);
  const header = headerSchema.safeParse(parsed?.header);
  const claims = claimsSchema.safeParse(parsed?.claims);
  if (!parsed || !header.success || !claims.success) return refuse('is malformed or lacks a claim');
  return { ...parsed, header: header.data, claims: claims.data };
}

function checkTimes(claims: Token['claims'], maxLifetime: number, remembersSince?: Date): void {
  const now = Date.now() / 1000;
  if (claims.exp <= now) refuse('has expired');
  if (claims.iat > now + CLOCK_SKEW || (claims.nbf ?? 0) > now + CLOCK_SKEW)
    refuse('is not valid yet');
  if (claims.exp < claims.iat || claims.exp - claims.iat > maxLifetime) refuse('lives too long');
  // @NOTE iat has whole seconds: a token of the very second in which the store began is refused too
  if (remembersSince && claims.iat < remembersSince.getTime() / 1000 - 1) {
    refuse('is older than this service remembers; ask for a new one');
  }
}

async function isSignedBy(
  token: Token,
  identity: Pick<IdentityResolver, 'didDocument'>,
  refreshed: LRUCache<Did, true>,
): Promise<boolean> {
  const { iss } = token.claims;
  const check = async (key: DidKey | undefined) =>
    key !== undefined &&
    jwtAlgOf(key) === token.header.alg &&
    (await verifySignatureAside(key, token.signed, token.signature));
  const keyOfIssuer = async (refresh: boolean) => {
    const document = await identity.didDocument(iss, { refresh }).catch((cause) => {
      throw new AuthRequiredError('the issuer of the token cannot be resolved', { cause });
    });
    return document && atprotoKeyOf(document);
  };
  if (await check(await keyOfIssuer(false))) return true;
  // @NOTE anybody can forge a token that fails, and must not make us hammer a directory by it
  if (refreshed.has(iss)) return false;
  refreshed.set(iss, true);
  return check(await keyOfIssuer(true));
}

function refuse(why: string): never {
  throw new AuthRequiredError(`the service-auth token ${why}`);
}

export interface ServiceAuthClaims {
  issuer: Did;
  audience: Did;
  /** NSID of the method that the token is for. */
  lxm: string;
  /** The `#atproto` key of the issuer. */
  key: SigningKey;
  /** 60 s unless told. */
  lifetimeSeconds?: number;
}

/** Makes a token by which a service of ours proves its DID to another, for one call. */
export async function mintServiceAuth(options: ServiceAuthClaims): Promise<string> {
  const { issuer, audience, lxm, key, lifetimeSeconds = 60 } = options;
  const iat = Math.floor(Date.now() / 1000);
  const claims = {
    iss: issuer,
    aud: audience,
    lxm,
    iat,
    exp: iat + lifetimeSeconds,
    jti: randomId(),
  };
  const signed = [{ typ: 'JWT', alg: key.jwtAlg }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  const signature = await key.sign(Buffer.from(signed));
  return `${signed}.${Buffer.from(signature).toString('base64url')}`;
}

/** The token of an `Authorization: Bearer` header, if it is one. */
export function bearerToken(authorization: string | undefined): string | undefined {
  return authorization?.match(/^Bearer ([\w\-.~+/]+=*)$/i)?.[1];
}
