import type { NodeOAuthClient } from '@atproto/oauth-client-node';
import { toDid } from '@stratos/protocol';
import { type CookieOptions, type Request, type Response, Router } from 'express';
import type { NodeConfig } from '../config.ts';
import type { NodeContext } from '../context.ts';
import { isEligible } from './eligibility.ts';
import { enroll } from './enroll.ts';
import { beginFlow, FLOW_LIFETIME_MS, parseCookies, resumeFlow } from './flow.ts';
import { answer } from './flow-answer.ts';
import { isTakenDown } from './is-taken-down.ts';
import { OAUTH_SCOPE, redirectUri } from './oauth-client.ts';

/** Milliseconds that a finished enrollment waits for the PDS before it answers all the same. */
const WAIT_FOR_PDS_MS = 5_000;

/** `/oauth/authorize` and `/oauth/callback`: how a person enrolls. */
export function oauthRoutes(ctx: NodeContext, client: NodeOAuthClient): Router {
  const router = Router();
  router.get('/oauth/authorize', guarded(ctx, authorize));
  router.get('/oauth/callback', guarded(ctx, callback));
  return router;

  async function authorize(req: Request, res: Response): Promise<void> {
    const { handle, redirect_uri: returnTo } = req.query;
    if (typeof handle !== 'string' || handle.length > 512) {
      return answer(req, res, {
        status: 400,
        error: 'InvalidRequest',
        message: 'A handle or DID is needed',
      });
    }
    if (returnTo !== undefined && !isOwnReturn(ctx.config, returnTo)) {
      return answer(req, res, {
        status: 400,
        error: 'InvalidRequest',
        message: 'redirect_uri is not allowed',
      });
    }
    const callbackUrl = new URL(redirectUri(ctx.config));
    if (ctx.config.devMode && req.headers.host !== callbackUrl.host) {
      // @NOTE the cookie must be set on the host to which the authorization server comes back
      const here = new URL('/oauth/authorize', callbackUrl);
      here.search = new URL(req.originalUrl, callbackUrl).search;
      return res.redirect(302, here.href);
    }
    const flow = beginFlow(returnTo);
    const url = await client.authorize(handle, { scope: OAUTH_SCOPE, state: flow.state });
    res.cookie(flow.cookieName, flow.secret, {
      ...cookieOptions(ctx.config),
      maxAge: FLOW_LIFETIME_MS,
    });
    res.redirect(302, url.href);
  }

  async function callback(req: Request, res: Response): Promise<void> {
    const params = new URL(req.originalUrl, ctx.config.publicUrl).searchParams;
    const saved = await ctx.service.oauth.state(params.get('state') ?? '');
    const flow = resumeFlow(saved?.appState, parseCookies(req.headers.cookie));
    if (!flow) {
      return answer(req, res, {
        status: 400,
        error: 'InvalidFlow',
        message:
          'This browser did not begin this enrollment, or it took too long. Please begin again.',
      });
    }
    res.clearCookie(flow.cookieName, cookieOptions(ctx.config));
    const { session } = await client.callback(params);
    const did = toDid(session.did);
    if ((await isTakenDown(ctx, did)) || !(await isEligible(did, ctx.config.enrollment, ctx))) {
      await session.signOut().catch(() => undefined);
      ctx.logger.info({ did }, 'enrollment denied');
      return answer(req, res, {
        status: 403,
        error: 'EnrollmentDenied',
        message: 'This node does not take this account',
      });
    }
    const { aud } = await session.getTokenInfo(false);
    await enroll(ctx, did, { pdsEndpoint: new URL(aud).origin });
    ctx.logger.info({ did }, 'enrolled');
    await ctx.outbox.settled(did, WAIT_FOR_PDS_MS);
    if (flow.returnTo !== undefined) {
      const target = new URL(flow.returnTo);
      target.searchParams.set('stratos_enrolled', 'true');
      return res.redirect(302, target.href);
    }
    answer(req, res, { status: 200, did, message: 'You are enrolled. You can close this page.' });
  }
}

type Route = (req: Request, res: Response) => Promise<void>;

function guarded(ctx: NodeContext, route: Route): Route {
  return async (req, res) => {
    try {
      await route(req, res);
    } catch (error) {
      ctx.logger.warn({ err: error, path: req.path }, 'an OAuth flow failed');
      const message = 'The authorization could not be completed. Please begin again.';
      answer(req, res, { status: 502, error: 'AuthorizationError', message });
    }
  };
}

function cookieOptions(config: NodeConfig): CookieOptions {
  const secure = config.publicUrl.startsWith('https:');
  return { httpOnly: true, sameSite: 'lax', secure, path: '/oauth' };
}

/** Only our own origin, and those that the operator named, may be returned to. */
function isOwnReturn(config: NodeConfig, returnTo: unknown): returnTo is string {
  if (typeof returnTo !== 'string' || !URL.canParse(returnTo)) return false;
  const { origin, username, password } = new URL(returnTo);
  if (username !== '' || password !== '') return false;
  const own = [config.publicUrl, redirectUri(config)].map((url) => new URL(url).origin);
  return [...own, ...config.oauth.redirectOrigins].includes(origin);
}
