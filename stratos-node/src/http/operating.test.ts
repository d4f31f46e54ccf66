import { join } from 'node:path';
import { com, zone } from '@stratos/protocol/lexicons';
import { expect, it } from 'vitest';
import { silentLogger } from '../logger.ts';
import { FakePds } from '../testing/fake-pds.ts';
import { StreamClient } from '../testing/stream-client.ts';
import {
  ADMIN_PASSWORD,
  postRecord,
  SWORDSMITH,
  TestNode,
  TestPerson,
} from '../testing/test-node.ts';
import { Readiness } from './readiness.ts';

const rei = TestPerson.named('rei');

async function metricsOf(node: TestNode, headers: Record<string, string> = {}): Promise<string> {
  const response = await fetch(`${node.url}/metrics`, { headers });
  expect(response.status).toBe(200);
  return response.text();
}

it('is alive and ready, and says which checks it made', async () => {
  await using node = await TestNode.start();
  expect(await (await fetch(`${node.url}/health`)).json()).toEqual({ status: 'ok' });
  const ready = await fetch(`${node.url}/ready`);
  expect([ready.status, ready.headers.get('cache-control')]).toEqual([200, 'no-store']);
  const checks = { database: 'ok', disk: 'ok', storage: 'ok', outbox: 'ok' };
  expect(await ready.json()).toEqual({ status: 'ready', checks });
});

it('says whose it is', async () => {
  const env = {
    STRATOS_OPERATOR_CONTACT: 'ops@example.com',
    STRATOS_REPO_URL: 'https://a.example',
  };
  await using node = await TestNode.start({ env });
  expect(await (await fetch(node.url)).text()).toBe(
    `A Stratos node: private records of AT Protocol, at ${node.ctx.config.serviceDid}
Operator: ops@example.com
Source: https://a.example
`,
  );
});

it('is not ready while it stops', async () => {
  const stopping = new AbortController();
  await using node = await TestNode.start();
  const readiness = new Readiness({ ...node.ctx, stopping: stopping.signal });
  expect(await readiness.report()).toMatchObject({ status: 'ready' });
  stopping.abort();
  expect(await readiness.report()).toEqual({ status: 'not ready', checks: { node: 'stopping' } });
});

it('is not ready with a full disk, a folder that is gone, or a database that fails', async () => {
  await using node = await TestNode.start();
  const ctx = { ...node.ctx, logger: silentLogger };
  const full = await new Readiness(ctx, { freeFloor: 2 ** 60 }).report();
  expect(full.status).toBe('not ready');
  expect(full.checks).toMatchObject({ database: 'ok', disk: expect.stringMatching(/^less than/) });
  const config = { ...ctx.config, dataDir: join(ctx.config.dataDir, 'gone') };
  const gone = await new Readiness({ ...ctx, config }).report();
  expect(gone.checks).toMatchObject({ database: 'ok', disk: 'fails', storage: 'fails' });
  const service = {
    ...ctx.service,
    events: { ...ctx.service.events, head: () => Promise.reject(new Error('broken')) },
  };
  const broken = await new Readiness({ ...ctx, service }).report();
  expect(broken).toMatchObject({ status: 'not ready', checks: { database: 'fails', disk: 'ok' } });
});

it('is not ready when jobs that are due are not tried, parked ones aside', async () => {
  await using node = await TestNode.start({ people: [rei] });
  await node.enroll(rei, [SWORDSMITH]);
  await expect.poll(async () => (await node.ctx.service.outbox.summary()).parked).toBe(1);
  const impatient = () => new Readiness(node.ctx, { maxOverdueMs: 0 }).report();
  expect((await impatient()).checks).toMatchObject({ outbox: 'ok' });
  await node.ctx.outbox[Symbol.asyncDispose]();
  await node.ctx.service.outbox.requeue(rei.did);
  await expect
    .poll(async () => (await impatient()).checks['outbox'])
    .toMatch(/^jobs have been due/);
  expect((await new Readiness(node.ctx).report()).checks).toMatchObject({ outbox: 'ok' });
});

it('looks at the database once for many who ask', async () => {
  await using node = await TestNode.start();
  let asked = 0;
  const head = async () => {
    asked += 1;
    return 0;
  };
  const service = { ...node.ctx.service, events: { ...node.ctx.service.events, head } };
  const readiness = new Readiness({ ...node.ctx, service });
  await Promise.all(Array.from({ length: 50 }, () => readiness.report()));
  expect(asked).toBe(1);
});

it('counts what it does', async () => {
  await using pds = await FakePds.start();
  await using node = await TestNode.start({ people: [rei], findPdsSession: pds.sessions });
  await node.enroll(rei, [SWORDSMITH]);
  await node.createPost(rei, postRecord('hidden words'));
  await node.get(zone.stratos.enrollment.status.$nsid, { did: rei.did }, 'Bearer nonsense');
  await fetch(`${node.url}/xrpc/no.such.method/${rei.did}?token=abc`);
  await fetch(`${node.url}/nothing/${rei.did}`);
  await using stream = await StreamClient.open(node, node.appView, 0);
  await stream.until((client) => client.of('#heartbeat').length > 0);
  await using refused = await StreamClient.openWith(node, undefined);
  await refused.until(({ closed }) => closed);
  await node.ctx.outbox.settled(rei.did, 5_000);
  const metrics = await metricsOf(node);
  const create = com.atproto.repo.createRecord.$nsid;
  const subscribe = zone.stratos.sync.subscribeService.$nsid;
  for (const line of [
    `stratos_request_duration_seconds_count{method="${create}",status="200"} 1`,
    'stratos_request_duration_seconds_count{method="unmatched",status="404"} 1',
    'stratos_auth_failures_total{reason="malformed"} 1',
    'stratos_replay_claims_total{outcome="first"} 2',
    `stratos_stream_consumers{method="${subscribe}"} 1`,
    `stratos_stream_errors_total{method="${subscribe}"} 1`,
    `stratos_stream_buffered_bytes{method="${subscribe}"} 0`,
    'stratos_outbox_jobs{state="waiting"} 0',
    'stratos_outbox_jobs{state="parked"} 0',
    'stratos_outbox_overdue_seconds 0',
    'stratos_enrollments{state="enrolled"} 1',
    'stratos_stream_position 3',
    'stratos_membership_position 1',
    'stratos_record_writes_total{action="create"} 1',
    'stratos_commits_total 1',
    ...(node.ctx.config.storage.backend === 'sqlite' ? ['stratos_open_actors 1'] : []),
  ]) {
    expect(metrics.split('\n')).toContain(line);
  }
  expect(metrics).toMatch(
    /stratos_outbox_attempt_duration_seconds_count\{kind="stub",outcome="done"\} 1/,
  );
  expect(metrics).toMatch(/nodejs_eventloop_lag_p99_seconds \d/);
  expect(metrics).not.toMatch(/did:|swordsmith|hidden|token=|no\.such/);
});

it('shows metrics to this machine and to the operator alone', async () => {
  await using node = await TestNode.start();
  const proxied = { 'x-forwarded-for': '203.0.113.7' };
  const refused = await fetch(`${node.url}/metrics`, { headers: proxied });
  expect(refused.status).toBe(401);
  expect(await refused.json()).toMatchObject({ error: 'AuthRequired' });
  const authorization = `Basic ${Buffer.from(`admin:${ADMIN_PASSWORD}`).toString('base64')}`;
  expect(await metricsOf(node, { ...proxied, authorization })).toContain('stratos_commits_total');
});

it('shows metrics without a password in development alone, as a proxy may not say that it is one', async () => {
  const env = { STRATOS_DEV_MODE: 'false', STRATOS_PUBLIC_URL: 'https://stratos.example.com' };
  await using node = await TestNode.start({ env });
  expect((await fetch(`${node.url}/metrics`)).status).toBe(401);
});

it('tells the operator how the node is and what operators did', async () => {
  await using node = await TestNode.start({ people: [rei] });
  await node.enroll(rei, [SWORDSMITH]);
  await expect.poll(async () => (await node.ctx.service.outbox.summary()).parked).toBe(1);
  await using stream = await StreamClient.open(node, node.appView, 0);
  await stream.until((client) => client.of('#heartbeat').length > 0);
  const status = zone.stratos.admin.getStatus.$nsid;
  expect(await (await node.operatorQuery(status, {})).json()).toMatchObject({
    did: node.ctx.config.serviceDid,
    storage: node.ctx.config.storage.backend,
    enrolled: 1,
    left: 0,
    streamPosition: 2,
    membershipPosition: 1,
    outboxWaiting: 1,
    outboxParked: 1,
    consumers: 1,
    dataBytesFree: expect.any(Number),
  });
  await node.operator(zone.stratos.admin.unenroll.$nsid, { did: rei.did });
  const audit = zone.stratos.admin.getAuditLog.$nsid;
  expect((await (await node.operatorQuery(audit, {})).json()).entries).toEqual([
    expect.objectContaining({
      action: zone.stratos.admin.unenroll.$nsid,
      did: rei.did,
      outcome: 'done',
    }),
  ]);
  for (const nsid of [status, audit]) {
    expect((await node.query(node.appView, nsid, {})).status).toBe(401);
  }
});
