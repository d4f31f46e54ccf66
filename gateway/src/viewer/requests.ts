import type { IncomingMessage } from 'node:http';
import {
  AuthRequiredError,
  bearerToken,
  DpopNonceError,
  type DpopNonces,
  dpopToken,
  isSessionToken,
  ReplayStoreError,
} from '@stratos/protocol';
import { ApiError, unauthenticated } from '@stratos/schema';
import type { Request, Response } from 'express';
import type { RateLimits } from '../protection/rate-limits.ts';
import type { PageSessions } from '../sign-in/page-sessions.ts';
import type { Caller, Credentials, IssuedSession, Viewers } from './viewers.ts';

export interface RequestViewersOptions {
  viewers: Viewers;
  /** Of those who have signed in on a page of ours. */
  pageSessions: PageSessions;
  nonces: DpopNonces;
  limits: RateLimits;
  /** Network address of who sent a request, also one that Express has not seen. */
  addressOf: (req: IncomingMessage) => string;
  publicUrl: string;
}

/** Finds out who sent an Express request, and tells in headers how to do better. */
export class RequestViewers {
  readonly #options: RequestViewersOptions;

  constructor(options: RequestViewersOptions) {
    this.#options = options;
  }

  /** Undefined when nobody is signed in. Throws an {@link ApiError}. */
  async identify(req: Request, res: Response, lxm: string): Promise<Caller | undefined> {
    const { viewers, pageSessions, limits } = this.#options;
    if (req.headers.authorization !== undefined) {
      const credentials = this.#credentials(req, req.originalUrl);
      return this.#attempt(req, res, () => viewers.identify(credentials, lxm));
    }
    const caller = await pageSessions.identify(req, res);
    if (caller) return caller;
    await limits.countStranger(req, res);
    res.setHeader('WWW-Authenticate', 'Bearer, DPoP algs="ES256"');
    return undefined;
  }

  /** Who asks for a WebSocket, where headers can say nothing. Throws an {@link ApiError}. */
  async identifyUpgrade(req: IncomingMessage, lxm: string): Promise<Caller> {
    const { viewers, limits, addressOf } = this.#options;
    const stranger = { ip: addressOf(req) };
    if (!hasSession(req)) await limits.checkStranger(stranger);
    const identified = viewers.identify(this.#credentials(req, req.url), lxm);
    const caller = await identified.catch(async (cause) => {
      const error = toApiError(cause);
      if (error.code === 'UNAUTHENTICATED') await limits.countStranger(stranger);
      throw error;
    });
    if (caller) return caller;
    await limits.countStranger(stranger);
    throw unauthenticated();
  }

  /** Throws an {@link ApiError}. */
  async createSession(req: Request, res: Response, lxm: string): Promise<IssuedSession> {
    const credentials = this.#credentials(req, req.originalUrl);
    return this.#attempt(req, res, () => this.#options.viewers.createSession(credentials, lxm));
  }

  #credentials(req: IncomingMessage, address = '/'): Credentials {
    const [path] = address.split('?');
    const { dpop } = req.headers;
    return {
      method: req.method ?? 'GET',
      url: `${this.#options.publicUrl}${path}`,
      authorization: req.headers.authorization,
      proof: Array.isArray(dpop) ? dpop.join() : dpop,
    };
  }

  async #attempt<T>(req: Request, res: Response, action: () => Promise<T>): Promise<T> {
    const { limits, nonces } = this.#options;
    if (req.header('DPoP') !== undefined) res.setHeader('DPoP-Nonce', nonces.current());
    // @NOTE before anything is asked of a directory for a token that may be forged
    if (!hasSession(req)) await limits.checkStranger(req, res);
    try {
      return await action();
    } catch (cause) {
      const error = toApiError(cause);
      if (error.code === 'DPOP_NONCE_REQUIRED') {
        res.setHeader('DPoP-Nonce', nonces.current());
        res.setHeader('WWW-Authenticate', 'DPoP algs="ES256", error="use_dpop_nonce"');
      } else if (error.code === 'UNAUTHENTICATED') {
        await limits.countStranger(req, res);
        res.setHeader('WWW-Authenticate', 'Bearer error="invalid_token", DPoP algs="ES256"');
      }
      throw error;
    }
  }
}

function hasSession({ headers: { authorization } }: IncomingMessage): boolean {
  const token = dpopToken(authorization) ?? bearerToken(authorization);
  return token !== undefined && isSessionToken(token);
}

function toApiError(cause: unknown): ApiError {
  if (cause instanceof ApiError) return cause;
  if (!(cause instanceof AuthRequiredError)) throw cause;
  if (cause.cause instanceof ReplayStoreError) {
    return new ApiError('UNAVAILABLE', 'It cannot be checked now who asks', { cause });
  }
  const code = cause instanceof DpopNonceError ? 'DPOP_NONCE_REQUIRED' : 'UNAUTHENTICATED';
  return new ApiError(code, cause.message, { cause });
}
