import type { IncomingMessage } from 'node:http';
import {
  bearerToken,
  createServiceAuthVerifier,
  type Did,
  type IdentityResolver,
  type ReplayStore,
} from '@stratos/protocol';
import { NodeError } from '../node-error.ts';

export interface AuthenticatorOptions {
  /** Our own DID, which tokens must be made for. */
  serviceDid: Did;
  allowedAppViews: readonly Did[];
  identity: Pick<IdentityResolver, 'didDocument'>;
  replayStore: ReplayStore;
}

/** Finds out who is calling a method. */
export interface Authenticator {
  /** Who is calling. Throws `AuthRequired` for anybody who cannot prove it. */
  caller(req: IncomingMessage, lxm: string): Promise<Did>;
  /** The same, or undefined for somebody who does not claim to be anyone. */
  optionalCaller(req: IncomingMessage, lxm: string): Promise<Did | undefined>;
  /** An AppView that the operator named. Throws `AuthRequired` for all others. */
  appView(req: IncomingMessage, lxm: string): Promise<Did>;
}

/** Authentication by service-auth JWT. */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { serviceDid: audience, identity, replayStore, allowedAppViews } = options;
  const verifier = createServiceAuthVerifier({ audience, identity, replayStore });
  return {
    async caller(req, lxm) {
      const token = bearerToken(req.headers.authorization);
      if (token === undefined) throw new NodeError('AuthRequired');
      return verifier.verify(token, lxm);
    },
    async optionalCaller(req, lxm) {
      return req.headers.authorization === undefined ? undefined : this.caller(req, lxm);
    },
    async appView(req, lxm) {
      const did = await this.caller(req, lxm);
      if (!allowedAppViews.includes(did))
        throw new NodeError('AuthRequired', 'Not an AppView of this node');
      return did;
    },
  };
}
