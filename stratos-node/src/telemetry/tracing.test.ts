import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json, text } from 'node:stream/consumers';
import { ConfigError } from '@stratos/protocol/environment';
import { com } from '@stratos/protocol/lexicons';
import { noTracer, openTracing } from '@stratos/protocol/telemetry';
import { expect, it } from 'vitest';

const TRACED_NODE = new URL('../testing/traced-node.ts', import.meta.url).pathname;

interface OtlpSpan {
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  attributes: { key: string; value: Record<string, unknown> }[];
}

/** Takes OTLP as a collector does. */
async function collector() {
  const spans: OtlpSpan[] = [];
  const services = new Set<unknown>();
  const headers = new Set<unknown>();
  const server = createServer(async (req, res) => {
    headers.add(req.headers['x-key']);
    const body = (await json(req)) as { resourceSpans: Record<string, never>[] };
    for (const { resource, scopeSpans } of body.resourceSpans as never as {
      resource: { attributes: { key: string; value: { stringValue: string } }[] };
      scopeSpans: { spans: OtlpSpan[] }[];
    }[]) {
      const name = resource.attributes.find(({ key }) => key === 'service.name');
      services.add(name?.value.stringValue);
      spans.push(...scopeSpans.flatMap((scope) => scope.spans));
    }
    res.end('{}');
  }).listen(0);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    spans,
    services,
    headers,
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function runNode(env: Record<string, string>): Promise<string> {
  const child = spawn(process.execPath, [TRACED_NODE], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env,
  });
  const [out, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  expect(code).toBe(0);
  return out;
}

it('sends what a request led to, and nothing of what it said', async () => {
  await using otlp = await collector();
  await runNode({ OTEL_EXPORTER_OTLP_ENDPOINT: otlp.url, OTEL_SERVICE_NAME: 'the-node' });
  expect([...otlp.services]).toEqual(['the-node']);
  const request = otlp.spans.find(({ name }) => name === com.atproto.repo.createRecord.$nsid);
  expect(request?.attributes).toContainEqual({
    key: 'http.response.status_code',
    value: { intValue: 200 },
  });
  const within = (parent: OtlpSpan | undefined) =>
    otlp.spans
      .filter(({ parentSpanId }) => parentSpanId === parent?.spanId)
      .map(({ name }) => name);
  expect(within(request)).toEqual(expect.arrayContaining(['actor write']));
  const job = otlp.spans.find(({ name }) => name === 'outbox stub');
  expect(within(job)).toEqual(['pds request']);
  expect(JSON.stringify(otlp.spans)).not.toMatch(/did:|hidden words|swordsmith|eyJ|Bearer/);
});

it('takes the other variables of OpenTelemetry as well', async () => {
  await using otlp = await collector();
  await runNode({
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${otlp.url}/v1/traces`,
    OTEL_TRACES_SAMPLER: 'always_off',
  });
  expect(otlp.spans).toEqual([]);
  await runNode({ OTEL_EXPORTER_OTLP_ENDPOINT: otlp.url, OTEL_EXPORTER_OTLP_HEADERS: 'x-key=a' });
  expect([...otlp.services]).toEqual(['stratos-node']);
  expect([...otlp.headers]).toContain('a');
});

it('loads nothing of OpenTelemetry where nobody asked for it', async () => {
  expect(await runNode({})).toBe('OpenTelemetry was not loaded\n');
  for (const env of [
    {},
    { OTEL_TRACES_EXPORTER: 'none', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318' },
    { OTEL_SDK_DISABLED: 'true', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318' },
  ]) {
    expect((await openTracing(env, 'stratos-node')).tracer).toBe(noTracer);
  }
});

it('refuses exporters and protocols that it has not', async () => {
  for (const env of [
    { OTEL_TRACES_EXPORTER: 'zipkin' },
    { OTEL_TRACES_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
  ]) {
    await expect(openTracing(env, 'stratos-node')).rejects.toThrow(ConfigError);
  }
});
