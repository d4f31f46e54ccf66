import { AuthRequiredError, type Did, DpopNonceError, type DpopNonces } from '@stratos/protocol';
import { ApiError } from '@stratos/schema';
import type { Request, Response } from 'express';
import type { Credentials, IssuedSession, Viewers } from './viewers.ts';

/** Finds out who sent an Express request, and tells in headers how to do better. */
export class RequestViewers {
  readonly #viewers: Viewers;
  readonly #nonces: DpopNonces;
  readonly #publicUrl: string;

  constructor(viewers: Viewers, nonces: DpopNonces, publicUrl: string) {
    this.#viewers = viewers;
    this.#nonces = nonces;
    this.#publicUrl = publicUrl;
  }

  /** Undefined when nobody is signed in. Throws an {@link ApiError}. */
  async identify(req: Request, res: Response, lxm: string): Promise<Did | undefined> {
    const viewer = await this.#attempt(res, () =>
      this.#viewers.identify(this.#credentials(req), lxm),
    );
    this.#offerNonce(req, res);
    if (viewer === undefined) res.setHeader('WWW-Authenticate', 'Bearer, DPoP algs="ES256"');
    return viewer;
  }

  /** Throws an {@link ApiError}. */
  async createSession(req: Request, res: Response, lxm: string): Promise<IssuedSession> {
    this.#offerNonce(req, res);
    return this.#attempt(res, () => this.#viewers.createSession(this.#credentials(req), lxm));
  }

  #credentials(req: Request): Credentials {
    const [path = '/'] = req.originalUrl.split('?');
    return {
      method: req.method,
      url: `${this.#publicUrl}${path}`,
      authorization: req.headers.authorization,
      proof: req.header('DPoP'),
    };
  }

  #offerNonce(req: Request, res: Response): void {
    if (req.header('DPoP') !== undefined) res.setHeader('DPoP-Nonce', this.#nonces.current());
  }

  async #attempt<T>(res: Response, action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (cause) {
      const error = toApiError(cause);
      if (error.code === 'DPOP_NONCE_REQUIRED') {
        res.setHeader('DPoP-Nonce', this.#nonces.current());
        res.setHeader('WWW-Authenticate', 'DPoP algs="ES256", error="use_dpop_nonce"');
      } else {
        res.setHeader('WWW-Authenticate', 'Bearer error="invalid_token", DPoP algs="ES256"');
      }
      throw error;
    }
  }
}

function toApiError(cause: unknown): ApiError {
  if (cause instanceof ApiError) return cause;
  if (!(cause instanceof AuthRequiredError)) throw cause;
  const code = cause instanceof DpopNonceError ? 'DPOP_NONCE_REQUIRED' : 'UNAUTHENTICATED';
  return new ApiError(code, cause.message, { cause });
}
