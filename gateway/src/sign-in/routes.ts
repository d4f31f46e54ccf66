import { toDid } from '@stratos/protocol';
import { ApiError, ERRORS } from '@stratos/schema';
import { type Request, type Response, Router } from 'express';
import type { GatewayConfig } from '../config.ts';
import type { Logger } from '../logger.ts';
import type { RateLimits } from '../protection/rate-limits.ts';
import { pageCookie, readCookie } from './cookies.ts';
import { beginFlow, resumeFlow } from './flow.ts';
import type { KeptValues } from './kept-values.ts';
import {
  CALLBACK_PATH,
  CLIENT_METADATA_PATH,
  clientMetadata,
  createOAuthClient,
  FLOW_LIFETIME,
  OAUTH_SCOPE,
  readAppState,
  redirectUri,
} from './oauth-client.ts';
import type { PageSessions } from './page-sessions.ts';
import { returnPath } from './return-to.ts';

const LOGIN_PATH = '/oauth/login';
const MAX_HANDLE = 512;

export interface SignInOptions {
  config: GatewayConfig;
  logger: Logger;
  limits: RateLimits;
  flows: KeptValues;
  sessions: PageSessions;
}

/** How people sign in on pages of ours: by the OAuth of their PDS, which is asked who they are and nothing else. */
export function signInRoutes({ config, logger, limits, flows, sessions }: SignInOptions): Router {
  const { publicUrl } = config;
  const client = createOAuthClient(config, flows);
  const flowCookie = pageCookie('stratos-sign-in', publicUrl);
  const router = Router();
  router.get(CLIENT_METADATA_PATH, (_req, res) => {
    res.json(clientMetadata(publicUrl));
  });
  router.get(LOGIN_PATH, guarded(login));
  router.get(CALLBACK_PATH, guarded(callback));
  router.post('/oauth/logout', guarded(logout));
  return router;

  async function login(req: Request, res: Response): Promise<void> {
    await limits.countStranger(req, res);
    const callbackUrl = redirectUri(publicUrl);
    if (config.devMode && req.headers.host !== callbackUrl.host) {
      // @NOTE the cookie must be set on the host to which the PDS sends people back
      const here = new URL(LOGIN_PATH, callbackUrl);
      here.search = new URL(req.originalUrl, callbackUrl).search;
      return res.redirect(302, here.href);
    }
    const { handle, returnTo } = req.query;
    if (typeof handle !== 'string' || handle.length > MAX_HANDLE) {
      throw new ApiError('BAD_USER_INPUT', 'A handle or DID is needed');
    }
    const flow = beginFlow(returnPath(returnTo));
    const url = await client.authorize(handle, { scope: OAUTH_SCOPE, state: flow.state });
    res.cookie(flowCookie.name, flow.secret, {
      ...flowCookie.options,
      maxAge: FLOW_LIFETIME * 1000,
    });
    res.redirect(302, url.href);
  }

  async function callback(req: Request, res: Response): Promise<void> {
    await limits.countStranger(req, res);
    const params = new URL(req.originalUrl, publicUrl).searchParams;
    const appState = await readAppState(flows, params.get('state') ?? '');
    const returnTo = resumeFlow(appState, readCookie(req, flowCookie.name));
    if (returnTo === undefined) {
      throw new ApiError('BAD_USER_INPUT', 'This browser did not begin to sign in. Begin again');
    }
    res.clearCookie(flowCookie.name, flowCookie.options);
    await sessions.begin(req, res, toDid(await whoSignedIn(params)));
    res.redirect(303, returnTo);
  }

  /** Who the PDS says it is, which the client has checked to be theirs. Its tokens are given back at once. */
  async function whoSignedIn(params: URLSearchParams): Promise<string> {
    const { session } = await client.callback(params);
    await session.signOut().catch((error: unknown) => {
      logger.warn({ reason: nameOf(error) }, 'a PDS did not take its tokens back');
    });
    return session.did;
  }

  async function logout(req: Request, res: Response): Promise<void> {
    if (!(await sessions.end(req, res))) {
      throw new ApiError('BAD_USER_INPUT', 'Only pages of this gateway sign people out');
    }
    res.status(204).end();
  }

  function guarded(route: (req: Request, res: Response) => Promise<void>) {
    return async (req: Request, res: Response): Promise<void> => {
      try {
        await route(req, res);
      } catch (error) {
        const isOurs = error instanceof ApiError;
        if (!isOurs) logger.warn({ reason: nameOf(error), path: req.path }, 'nobody signed in');
        const { status, xrpc } = ERRORS[isOurs ? error.code : 'BAD_USER_INPUT'];
        const message = isOurs ? error.message : 'That did not work. Begin again';
        res.status(status).json({ error: xrpc, message });
      }
    };
  }
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : 'unknown';
}
