import {
  AuthRequiredError,
  bearerToken,
  type Did,
  type DpopVerifier,
  dpopToken,
  isSessionToken,
  type LivingSession,
  SESSION_LIFETIME,
  type ServiceAuthVerifier,
  type Sessions,
} from '@stratos/protocol';

/** What of a request says who is asking. */
export interface Credentials {
  method: string;
  /** Canonical URL of the request, without query. */
  url: string;
  authorization: string | undefined;
  /** The `DPoP` header. */
  proof: string | undefined;
}

/** Who is asking. */
export interface Caller {
  did: Did;
  /** Until when what they said is good for a stream that stays open. */
  until: Date;
}

export interface ViewersOptions {
  serviceAuth: ServiceAuthVerifier;
  sessions: Sessions;
  dpop: DpopVerifier;
  /** Whether sessions that are not bound are accepted and given. */
  bearerSessions: boolean;
}

export interface IssuedSession {
  did: Did;
  token: string;
  tokenType: 'Bearer' | 'DPoP';
  expiresAt: Date;
}

const EXCHANGE_MAX_LIFETIME = 3600;

/** Finds out who is asking. */
export class Viewers {
  readonly #options: ViewersOptions;

  constructor(options: ViewersOptions) {
    this.#options = options;
  }

  /**
   * Who is asking, by a session or a service-auth token for the method `lxm`; undefined when nobody
   * says so. Throws {@link AuthRequiredError} when what is said does not hold.
   */
  async identify(credentials: Credentials, lxm: string): Promise<Caller | undefined> {
    const { authorization } = credentials;
    if (authorization === undefined) return undefined;
    const bound = dpopToken(authorization);
    if (bound) return this.#boundSession(bound, credentials);
    const token = bearerToken(authorization);
    if (!token) throw new AuthRequiredError('unknown kind of authorization');
    if (isSessionToken(token)) return this.#bearerSession(token);
    const did = await this.#options.serviceAuth.verify(token, lxm);
    return { did, until: new Date(Date.now() + SESSION_LIFETIME * 1000) };
  }

  /**
   * Exchanges a service-auth token for a session, which is bound when there is a DPoP proof. Throws
   * {@link AuthRequiredError}.
   */
  async createSession(credentials: Credentials, lxm: string): Promise<IssuedSession> {
    const { authorization, proof, method, url } = credentials;
    const { serviceAuth, sessions, dpop, bearerSessions } = this.#options;
    const jwt = bearerToken(authorization);
    if (!jwt) throw new AuthRequiredError('a service-auth token is needed');
    if (proof === undefined && !bearerSessions)
      throw new AuthRequiredError('a DPoP proof is needed');
    // @NOTE first, because a missing nonce must not use up the service-auth token
    const boundTo = proof === undefined ? undefined : await dpop.verify(proof, { method, url });
    const did = await serviceAuth.verify(jwt, lxm, { maxLifetimeSeconds: EXCHANGE_MAX_LIFETIME });
    const issued = await sessions.issue({ viewer: did, boundTo });
    return { did, tokenType: boundTo ? 'DPoP' : 'Bearer', ...issued };
  }

  async #bearerSession(token: string): Promise<Caller> {
    const { viewer, boundTo, expiresAt }: LivingSession =
      await this.#options.sessions.verify(token);
    if (boundTo) throw new AuthRequiredError('the session is bound and needs a DPoP proof');
    if (!this.#options.bearerSessions)
      throw new AuthRequiredError('sessions must be bound by DPoP');
    return { did: viewer, until: expiresAt };
  }

  async #boundSession(token: string, { proof, method, url }: Credentials): Promise<Caller> {
    const { viewer, boundTo, expiresAt } = await this.#options.sessions.verify(token);
    if (proof === undefined) throw new AuthRequiredError('a DPoP proof is needed');
    const key = await this.#options.dpop.verify(proof, { method, url, accessToken: token });
    if (boundTo !== key) throw new AuthRequiredError('the session is bound to another key');
    return { did: viewer, until: expiresAt };
  }
}
