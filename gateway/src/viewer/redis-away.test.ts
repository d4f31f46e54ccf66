import { zone } from '@stratos/protocol/lexicons';
import { describe, expect, test } from 'vitest';
import { GRAPHQL_METHOD, TRPC_METHOD } from '../methods.ts';
import { serviceAuth } from '../testing/people.ts';
import { type Answer, graphql, trpc, xrpc } from '../testing/surfaces.ts';
import { startTestGateway } from '../testing/test-gateway.ts';
import { hasRedis, startRedis } from '../testing/test-redis.ts';

const GET_VIEWER = zone.stratos.gateway.getViewer.$nsid;

describe.skipIf(!hasRedis)('a gateway whose Redis goes away', () => {
  test('lets nobody in by a token that it cannot check, says why, and knows sessions still', async () => {
    await using redis = await startRedis();
    await using gateway = await startTestGateway({ GATEWAY_REDIS_URL: redis.url });
    const alice = gateway.people.add('alice');
    const session = await gateway.session(alice);
    await redis[Symbol.asyncDispose]();
    const asks: [string, (token: string) => Promise<Answer>][] = [
      [GRAPHQL_METHOD, (token) => graphql(gateway.url, token, '{ viewer { did } }')],
      [TRPC_METHOD, (token) => trpc(gateway.url, token, 'viewer')],
      [GET_VIEWER, (token) => xrpc(gateway.url, token, GET_VIEWER)],
    ];
    for (const [lxm, ask] of asks) {
      const answer = await ask(await serviceAuth(alice, gateway.did, lxm));
      expect([lxm, answer.status]).toEqual([lxm, 503]);
      expect(answer.body).toMatch(/UNAVAILABLE|"Unavailable"/);
      expect((await ask(session)).status).toBe(200);
    }
  });
});
