import type { IncomingMessage } from 'node:http';
import type { ApiContext } from '@stratos/schema';
import type { Request, Response } from 'express';
import type { LiveFeed } from './live/live-feed.ts';
import { ViewerLive } from './live/viewer-live.ts';
import { type OperationsOptions, ViewerOperations } from './operations/operations.ts';
import { callCost } from './protection/call-cost.ts';
import type { RateLimits } from './protection/rate-limits.ts';
import type { RequestViewers } from './viewer/requests.ts';
import type { Caller } from './viewer/viewers.ts';

export interface RequestContextsOptions extends OperationsOptions {
  live: LiveFeed;
  limits: RateLimits;
}

/** What a request brings, and how what it asks for is counted. */
export interface RequestContext extends ApiContext {
  /** Undefined when nobody is signed in. */
  caller?: Caller | undefined;
  live?: ViewerLive | undefined;
  /** Throws `RATE_LIMITED` when the viewer has asked too much, see `protection/query-cost.ts`. */
  spend(cost: number): Promise<void>;
}

/** What the three surfaces have in common: who sent a request, and what they can do. */
export class RequestContexts {
  readonly #viewers: RequestViewers;
  readonly #options: RequestContextsOptions;

  constructor(viewers: RequestViewers, options: RequestContextsOptions) {
    this.#viewers = viewers;
    this.#options = options;
  }

  /** Throws an `ApiError` when the credentials do not hold; without any nothing can be done. */
  async of(req: Request, res: Response, lxm: string): Promise<RequestContext> {
    const caller = await this.#viewers.identify(req, res, lxm);
    if (!caller) return { spend: async () => {} };
    return {
      caller,
      operations: this.#operations(caller),
      live: this.#live(caller, req),
      spend: (cost) => this.#options.limits.spend(caller.did, cost, res),
    };
  }

  /** What can be followed by who asks for a WebSocket, which counts as a call. Throws an `ApiError`. */
  async liveOf(req: IncomingMessage, lxm: string): Promise<ViewerLive> {
    const caller = await this.#viewers.identifyUpgrade(req, lxm);
    await this.#options.limits.spend(caller.did, callCost({}));
    return this.#live(caller, req);
  }

  #operations({ did }: Caller): ViewerOperations {
    return new ViewerOperations(did, this.#options);
  }

  #live(caller: Caller, { socket, headers }: IncomingMessage): ViewerLive {
    const lastEventId = headers['last-event-id'];
    return new ViewerLive(
      this.#options.live,
      {
        viewer: caller.did,
        endsAt: caller.until,
        connection: socket,
        operations: () => this.#operations(caller),
      },
      Array.isArray(lastEventId) ? lastEventId.join() : lastEventId,
    );
  }
}
