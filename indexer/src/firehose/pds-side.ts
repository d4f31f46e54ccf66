import type { Did, IdentityResolver } from '@stratos/protocol';
import type { Database } from '../database.ts';
import type { SourceClaim } from '../followers/source-claims.ts';
import type { Turns } from '../followers/turns.ts';
import type { Logger } from '../logger.ts';
import { HandleLookups } from '../lookups/handle-lookups.ts';
import { NodeDiscovery } from '../lookups/node-discovery.ts';
import type { SourceStatus } from '../nodes/node-follower.ts';
import type { Shortage } from '../shortage.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { Firehose } from './firehose.ts';

export interface PdsSideOptions {
  db: Database;
  identity: IdentityResolver;
  /** `ws(s)://` base of the PDS or relay. */
  url: string;
  plcUrl: string;
  maxReconnectMs: number;
  /** Told of what writing fails with. */
  shortage: Shortage;
  turns: Turns;
  /** Longest wait between two attempts at finding a node. */
  maxRetryMs: number;
  mayFollow: (did: Did) => Promise<boolean>;
  onNode: () => void;
  logger: Logger;
  telemetry?: Telemetry;
}

export interface PdsSide extends AsyncDisposable {
  status(): Promise<SourceStatus>;
}

/**
 * Begins with all that one indexer alone does for all people and nodes: following the firehose, and
 * finding out what it has named.
 */
export async function openPdsSide(
  options: PdsSideOptions,
  { cursor, fence }: SourceClaim,
): Promise<PdsSide> {
  await using opened = new AsyncDisposableStack();
  const { db, identity, url, plcUrl, maxReconnectMs, maxRetryMs, mayFollow, onNode } = options;
  const logger = options.logger.child({ firehose: url });
  const discovery = opened.use(
    new NodeDiscovery({ db, identity, logger, maxRetryMs, mayFollow, onNode }),
  );
  const handles = opened.use(new HandleLookups({ db, identity, logger }));
  const firehose = opened.use(
    new Firehose({
      db,
      identity,
      url,
      cursor,
      fence,
      plcUrl,
      maxReconnectMs,
      shortage: options.shortage,
      turns: options.turns,
      logger,
      telemetry: options.telemetry,
      lookups: {
        knownNode: (serviceUrl) => discovery.knownNode(serviceUrl),
        findNode: (serviceUrl) => discovery.soon(serviceUrl),
        findHandle: (did) => handles.soon(did),
      },
    }),
  );
  discovery.start();
  handles.start();
  firehose.start();

  const owned = opened.move();
  return {
    status: () => firehose.status(),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
