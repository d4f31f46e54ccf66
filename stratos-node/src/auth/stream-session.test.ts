import { once } from 'node:events';
import { zone } from '@stratos/protocol/lexicons';
import { expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { DpopClient } from '../testing/dpop-client.ts';
import { TestNode } from '../testing/test-node.ts';

const PATH = `/xrpc/${zone.stratos.sync.subscribeService.$nsid}`;

it('opens a stream with a session and a proof for its address, once', async () => {
  await using node = await TestNode.start();
  const client = await DpopClient.signedIn({ url: node.url, person: node.appView });
  const listen = (dpop: string) => {
    const headers = { authorization: `DPoP ${client.token}`, dpop };
    return new WebSocket(`${node.url.replace('http', 'ws')}${PATH}?cursor=0`, { headers });
  };
  const proof = client.proof(client.claims('GET', PATH));
  const open = listen(proof);
  const [frame] = await once(open, 'message');
  expect(frame.toString('latin1')).toContain('#heartbeat');
  open.terminate();
  const again = listen(proof);
  const [refusal] = await once(again, 'message');
  expect(refusal.toString('latin1')).toContain('AuthRequired');
  again.terminate();
});
