import { toBoundary, toDid } from '@stratos/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { graphql, SURFACES, send } from '../testing/surfaces.ts';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.ts';

const PASSWORD = 'correct horse';
const CANARY = 'canary-5f0c';
const node = toDid('did:web:node.test');
/** As a proxy says, so that the request is not one of this machine. */
const passedOn = { 'x-forwarded-for': '192.0.2.1' };

let gateway: TestGateway;
let token: string;
beforeAll(async () => {
  gateway = await startTestGateway({ GATEWAY_ADMIN_PASSWORD: PASSWORD });
  const [reader, writer] = ['reader', 'writer'].map((name) => gateway.people.add(name));
  if (!reader || !writer) throw new Error('there is nobody');
  const boundary = toBoundary(`${node}/${CANARY}`);
  await gateway.world.node(node);
  await gateway.world.member(reader.did, node, [boundary]);
  const facts = { author: writer.did, node, boundaries: [boundary], rkey: CANARY, text: CANARY };
  await gateway.world.post(facts);
  token = await gateway.session(reader);
});
afterAll(() => gateway[Symbol.asyncDispose]());

function readMetrics(headers: Record<string, string>) {
  return send(`${gateway.url}/metrics`, { headers });
}

test('metrics are for the operator', async () => {
  expect((await readMetrics(passedOn)).status).toBe(401);
  const wrong = { ...passedOn, authorization: 'Bearer wrong horse' };
  expect((await readMetrics(wrong)).status).toBe(401);
  const right = { ...passedOn, authorization: `Bearer ${PASSWORD}` };
  expect((await readMetrics(right)).status).toBe(200);
});

test('requests are counted by door and status, and nothing of them is said', async () => {
  for (const surface of SURFACES) await surface.feed(gateway.url, token, { limit: 5 });
  await graphql(gateway.url, undefined, '{ viewer { did } }');
  await send(`${gateway.url}/${CANARY}`);
  const { body } = await readMetrics({ authorization: `Bearer ${PASSWORD}` });
  for (const door of ['graphql', 'trpc', 'xrpc']) {
    expect(body).toContain(
      `stratos_gateway_request_duration_seconds_count{door="${door}",status="2xx"}`,
    );
  }
  expect(body).toContain('{door="graphql",status="4xx"} 1');
  expect(body).toContain('{door="other",status="4xx"}');
  expect(body).toContain('process_cpu_seconds_total');
  expect(body).not.toContain(CANARY);
  expect(body).not.toContain('did:');
});
