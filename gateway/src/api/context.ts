import type { Server } from '@atproto/xrpc-server';
import { type Operations, operationsOf } from '@stratos/schema';
import type { Request, Response } from 'express';
import { callCost } from '../protection/call-cost.ts';
import type { RequestContexts } from '../request-context.ts';
import type { RequestViewers } from '../viewer/requests.ts';

/** What the XRPC handlers are given. */
export interface ApiDependencies {
  server: Server;
  contexts: RequestContexts;
  viewers: RequestViewers;
}

/** An auth verifier for a method that needs a viewer: its credentials are the operations. */
export function viewerOf(contexts: RequestContexts, nsid: string) {
  return async ({
    req,
    res,
    params,
  }: {
    req: Request;
    res: Response;
    params: object;
  }): Promise<{ credentials: Operations }> => {
    const context = await contexts.of(req, res, nsid);
    const credentials = operationsOf(context);
    await context.spend(callCost(params));
    return { credentials };
  };
}
