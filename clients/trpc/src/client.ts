import type { StratosRouter } from '@stratos/schema/trpc';
import { createTRPCClient, httpBatchLink, type TRPCClient } from '@trpc/client';

/** A session token, or what answers the whole `Authorization` header for each request. */
export type Session = string | (() => string | Promise<string>);

export interface StratosClientOptions {
  /** Base URL of the gateway. */
  gateway: string;
  session: Session;
}

/** The operations of the gateway, typed by its own router. */
export type StratosClient = TRPCClient<StratosRouter>;

const MAX_BATCH = 10;

/** A client of a gateway's tRPC. Calls made at the same time travel together. */
export function createStratosClient({ gateway, session }: StratosClientOptions): StratosClient {
  return createTRPCClient<StratosRouter>({
    links: [
      httpBatchLink({
        url: new URL('/trpc', gateway).href,
        maxItems: MAX_BATCH,
        headers: async () => ({
          authorization: typeof session === 'string' ? `Bearer ${session}` : await session(),
        }),
      }),
    ],
  });
}
