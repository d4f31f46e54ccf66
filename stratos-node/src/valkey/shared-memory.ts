import type { ReplayStore } from '@stratos/protocol';
import type { NodeConfig } from '../config.ts';
import type { SharedList } from '../enrollment/allow-list.ts';
import type { RateCounter } from '../limits/rate-counter.ts';
import type { Logger } from '../logger.ts';
import type { WriteLimit } from '../repo/write-rate-limit.ts';
import { connectValkey } from './connection.ts';
import { ValkeyRateCounter } from './rate-counter.ts';
import { ValkeyReplayStore } from './replay-store.ts';
import { ValkeyList } from './shared-list.ts';
import { ValkeyWriteRateLimit } from './write-rate-limit.ts';

/** What the processes of a node remember together, beside their database. */
export interface SharedMemory extends AsyncDisposable {
  readonly replay: ReplayStore;
  readonly rates: RateCounter;
  readonly writes: WriteLimit;
  readonly allowList: SharedList;
}

/** The shared memory that the operator chose; undefined if there is none. */
export async function openSharedMemory(
  config: Pick<NodeConfig, 'valkeyUrl' | 'serviceDid' | 'writeRate' | 'enrollment'>,
  logger: Logger,
): Promise<SharedMemory | undefined> {
  if (config.valkeyUrl === undefined) return undefined;
  const redis = await connectValkey(config.valkeyUrl, logger);
  const prefix = `stratos:node:${config.serviceDid}:`;
  return {
    replay: new ValkeyReplayStore(redis, prefix),
    rates: new ValkeyRateCounter(redis, prefix),
    writes: new ValkeyWriteRateLimit(redis, { prefix, rate: config.writeRate, logger }),
    allowList: new ValkeyList(redis, config.enrollment.allowListName),
    async [Symbol.asyncDispose]() {
      redis.disconnect();
    },
  };
}
