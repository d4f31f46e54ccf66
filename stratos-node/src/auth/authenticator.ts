import type { IncomingMessage } from 'node:http';
import {
  AuthRequiredError,
  bearerToken,
  createServiceAuthVerifier,
  type Did,
  DpopNonceError,
  type DpopNonces,
  type DpopVerifier,
  dpopToken,
  type IdentityResolver,
  isSessionToken,
  type ReplayStore,
  type Sessions,
} from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import type { AddressLimit } from '../limits/address-limit.ts';
import type { ClientAddress } from '../limits/client-address.ts';
import { NodeError } from '../node-error.ts';

/** Seconds that a token which is exchanged for a session may live. */
const EXCHANGE_MAX_LIFETIME = 3600;
const INVALID_TOKEN = 'DPoP algs="ES256", error="invalid_token"';

export interface AuthenticatorOptions {
  /** Our own DID, which tokens must be made for. */
  serviceDid: Did;
  /** Public base URL, without a trailing slash, which proofs must be made for. */
  publicUrl: string;
  allowedAppViews: readonly Did[];
  identity: Pick<IdentityResolver, 'didDocument'>;
  replayStore: ReplayStore;
  sessions: Sessions;
  dpop: DpopVerifier;
  nonces: DpopNonces;
  clientAddress: ClientAddress;
  addressLimit: AddressLimit;
}

/** A session that was given to somebody, bound to the key of their proof. */
export interface IssuedSession {
  did: Did;
  token: string;
  expiresAt: Date;
}

/** Finds out who is calling a method. */
export interface Authenticator {
  /** Who is calling. Throws `AuthRequired` for anybody who cannot prove it. */
  caller(req: IncomingMessage, lxm: string): Promise<Did>;
  /** The same, or undefined for somebody who does not claim to be anyone. */
  optionalCaller(req: IncomingMessage, lxm: string): Promise<Did | undefined>;
  /** An AppView that the operator named. Throws `AuthRequired` for all others. */
  appView(req: IncomingMessage, lxm: string): Promise<Did>;
  /** Exchanges a service-auth token and a DPoP proof for a session. Throws `AuthRequired`. */
  createSession(req: IncomingMessage): Promise<IssuedSession>;
  /** What the next proofs should have as nonce. */
  dpopNonce(): string;
}

/** Authentication by service-auth JWT, or by a session of ours with a DPoP proof. */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { serviceDid: audience, identity, replayStore, allowedAppViews } = options;
  const { publicUrl, sessions, dpop, nonces, clientAddress, addressLimit } = options;
  const verifier = createServiceAuthVerifier({ audience, identity, replayStore });

  /** The thumbprint of the key that made the request's proof. */
  async function provenKey(req: IncomingMessage, accessToken?: string): Promise<string> {
    const { dpop: proof } = req.headers;
    if (typeof proof !== 'string') {
      throw new NodeError('AuthRequired', 'A DPoP proof is needed', { challenge: INVALID_TOKEN });
    }
    const expected = { method: req.method ?? '', url: canonicalUrl(publicUrl, req) };
    return dpop.verify(proof, accessToken === undefined ? expected : { ...expected, accessToken });
  }

  /** Whether a request comes with a session of ours, which nobody can guess. */
  async function hasSession(req: IncomingMessage): Promise<boolean> {
    const token = dpopToken(req.headers.authorization);
    if (token === undefined) return false;
    return sessions.verify(token).then(
      () => true,
      () => false,
    );
  }

  async function sessionCaller(req: IncomingMessage, token: string): Promise<Did> {
    const { viewer, boundTo } = await sessions.verify(token).catch((cause) => {
      if (!(cause instanceof AuthRequiredError)) throw cause;
      throw new NodeError('AuthRequired', cause.message, { cause, challenge: INVALID_TOKEN });
    });
    if ((await provenKey(req, token)) === boundTo) return viewer;
    throw new NodeError('AuthRequired', 'The session is bound to another key', {
      challenge: INVALID_TOKEN,
    });
  }

  async function anyCaller(req: IncomingMessage, lxm: string): Promise<Did> {
    const { authorization } = req.headers;
    const session = dpopToken(authorization);
    if (session !== undefined) return sessionCaller(req, session);
    const token = bearerToken(authorization);
    if (token === undefined) throw new NodeError('AuthRequired');
    if (isSessionToken(token)) {
      throw new NodeError('AuthRequired', 'Sessions need a DPoP proof', {
        challenge: INVALID_TOKEN,
      });
    }
    return verifier.verify(token, lxm);
  }

  async function newSession(req: IncomingMessage): Promise<IssuedSession> {
    const token = bearerToken(req.headers.authorization);
    if (token === undefined) throw new NodeError('AuthRequired', 'A service-auth token is needed');
    // @NOTE first, because a missing nonce must not use up the service-auth token
    const boundTo = await provenKey(req);
    const did = await verifier.verify(token, zone.stratos.server.createSession.$lxm, {
      maxLifetimeSeconds: EXCHANGE_MAX_LIFETIME,
    });
    return { did, ...(await sessions.issue({ viewer: did, boundTo })) };
  }

  /** Takes no more attempts from where too many failed, other than of those who have a session. */
  async function limited<T>(req: IncomingMessage, attempt: () => Promise<T>): Promise<T> {
    const address = clientAddress(req);
    const exceeded = addressLimit.failuresExceeded(address);
    if (exceeded && !(await hasSession(req))) throw exceeded;
    try {
      return await attempt();
    } catch (error) {
      if (isFailure(error) && req.headers.authorization !== undefined) {
        await addressLimit.addFailure(address);
      }
      throw error;
    }
  }

  return {
    caller: (req, lxm) => limited(req, () => anyCaller(req, lxm)),
    async optionalCaller(req, lxm) {
      return req.headers.authorization === undefined ? undefined : this.caller(req, lxm);
    },
    async appView(req, lxm) {
      const did = await this.caller(req, lxm);
      if (!allowedAppViews.includes(did))
        throw new NodeError('AuthRequired', 'Not an AppView of this node');
      return did;
    },
    createSession: (req) => limited(req, () => newSession(req)),
    dpopNonce: () => nonces.current(),
  };
}

/** A first proof without a nonce is no failure, but part of every DPoP conversation. */
function isFailure(error: unknown): boolean {
  if (error instanceof DpopNonceError) return false;
  if (error instanceof NodeError) return error.code === 'AuthRequired';
  return error instanceof AuthRequiredError;
}

/** The URL as callers see it, without query. */
function canonicalUrl(publicUrl: string, req: IncomingMessage): string {
  // @NOTE routers cut what they matched from `url`; WebSockets never had another
  const asked = 'originalUrl' in req ? String(req.originalUrl) : (req.url ?? '/');
  return publicUrl + (asked.split('?', 1)[0] ?? '/');
}
