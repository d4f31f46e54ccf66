import { setTimeout as delay } from 'node:timers/promises';
import { zone } from '@stratos/protocol/lexicons';
import type { LocalNetwork } from '../network.ts';
import { query } from '../xrpc.ts';
import { DEMO_ACCOUNTS } from './accounts.ts';
import { expectedTimelineLength } from './seed.ts';

const PATIENCE_MS = 30_000;

/** Waits until every demo account finds its first posts at the gateway. Throws when they do not come. */
export async function waitForDemoTimelines(
  network: LocalNetwork,
  signal?: AbortSignal,
): Promise<void> {
  for (const { handle, boundaries } of DEMO_ACCOUNTS) {
    const { token } = await network.gatewaySession(handle);
    const expected = expectedTimelineLength(boundaries);
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const seen = await timelineLength(network.topology.gateway.url, token);
      if (seen >= expected) break;
      if (Date.now() > deadline) {
        throw new Error(
          `The timeline of ${handle} shows ${seen} of ${expected} posts. The log of the indexer may say why: ${network.service('indexer').logFile}`,
        );
      }
      await delay(200, undefined, signal ? { signal } : {});
    }
  }
}

async function timelineLength(gatewayUrl: string, token: string): Promise<number> {
  const { feed } = await query<zone.stratos.feed.getTimeline.$OutputBody>(
    gatewayUrl,
    zone.stratos.feed.getTimeline.$nsid,
    { authorization: `Bearer ${token}`, params: { limit: '100' } },
  );
  return feed.length;
}
