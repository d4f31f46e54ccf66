import { createHash, randomBytes } from 'node:crypto';
import { type Did, isDid, SESSION_LIFETIME } from '@stratos/protocol';
import type { Request, Response } from 'express';
import { z } from 'zod';
import type { Caller } from '../viewer/viewers.ts';
import { pageCookie, readCookie } from './cookies.ts';
import type { KeptValues } from './kept-values.ts';
import { isFromOwnPage } from './own-page.ts';

/** Seconds after which a session is over that is not used, and that is used. */
const IDLE_LIFETIME = 24 * 3600;
const MAX_LIFETIME = 14 * 24 * 3600;
/** Seconds after which the use of a session prolongs it. */
const RENEW_AFTER = 300;

const kept = z.object({ did: z.custom<Did>(isDid), endsAt: z.int(), renewedAt: z.int() });

export interface PageSessionsOptions {
  values: KeptValues;
  publicUrl: string;
  /** Of our own pages. */
  origins: readonly string[];
}

/**
 * The sessions of people who have signed in on a page of ours. The cookie is a random number; whose it is is
 * kept here, so that signing out ends it everywhere. Only our own pages can use it.
 */
export class PageSessions {
  readonly #options: PageSessionsOptions;
  readonly #cookie: ReturnType<typeof pageCookie>;

  constructor(options: PageSessionsOptions) {
    this.#options = options;
    this.#cookie = pageCookie('stratos-session', options.publicUrl);
  }

  /** Who has signed in; undefined when nobody has, or no page of ours asks. Throws `UNAVAILABLE`. */
  async identify(req: Request, res: Response): Promise<Caller | undefined> {
    const secret = readCookie(req, this.#cookie.name);
    if (secret === undefined || !isFromOwnPage(req, this.#options.origins)) return undefined;
    const text = await this.#options.values.get(keyOf(secret));
    if (text === undefined) return undefined;
    const { did, endsAt, renewedAt } = kept.parse(JSON.parse(text));
    const now = seconds();
    if (now >= Math.min(endsAt, renewedAt + IDLE_LIFETIME)) return undefined;
    if (now - renewedAt > RENEW_AFTER) {
      const value = JSON.stringify({ did, endsAt, renewedAt: now });
      const lifetime = Math.min(IDLE_LIFETIME, endsAt - now);
      await this.#options.values.replace(keyOf(secret), value, lifetime);
      this.#give(res, secret, lifetime);
    }
    return { did, until: new Date(Math.min(endsAt, now + SESSION_LIFETIME) * 1000) };
  }

  /** Signs somebody in, in place of whoever was before. */
  async begin(req: Request, res: Response, did: Did): Promise<void> {
    await this.#forget(req);
    const secret = randomBytes(32).toString('base64url');
    const now = seconds();
    const value = JSON.stringify({ did, endsAt: now + MAX_LIFETIME, renewedAt: now });
    await this.#options.values.put(keyOf(secret), value, IDLE_LIFETIME);
    this.#give(res, secret, IDLE_LIFETIME);
  }

  /** Signs out; false when no page of ours asks for it. */
  async end(req: Request, res: Response): Promise<boolean> {
    if (!isFromOwnPage(req, this.#options.origins)) return false;
    await this.#forget(req);
    res.clearCookie(this.#cookie.name, this.#cookie.options);
    return true;
  }

  async #forget(req: Request): Promise<void> {
    const secret = readCookie(req, this.#cookie.name);
    if (secret !== undefined) await this.#options.values.delete(keyOf(secret));
  }

  #give(res: Response, secret: string, lifetime: number): void {
    res.cookie(this.#cookie.name, secret, { ...this.#cookie.options, maxAge: lifetime * 1000 });
  }
}

/** Who sees what is kept cannot make a cookie of it. */
function keyOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}

function seconds(): number {
  return Math.floor(Date.now() / 1000);
}
