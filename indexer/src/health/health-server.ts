import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { keptFor, MetricsGate, type MetricsGateOptions } from '@stratos/protocol/telemetry';

/** Milliseconds that an answer may take. */
const ANSWER_WITHIN_MS = 5_000;
/** Milliseconds for which an answer is given again, so that asking does not become work. */
const KEPT_MS = 1_000;

export interface HealthSource {
  /** Whether what the indexer is for works at this moment. */
  isReady(): Promise<boolean>;
  status(): Promise<unknown>;
  /** As Prometheus takes it. */
  metrics(): Promise<string>;
}

export interface HealthServerOptions extends MetricsGateOptions {
  host: string;
  port: number;
}

export interface HealthServer extends AsyncDisposable {
  readonly port: number;
}

/**
 * `GET /health` (it runs), `/ready` (it works), `/status` (where it is in each source), and `/metrics` for
 * the operator.
 */
export async function startHealthServer(
  options: HealthServerOptions,
  source: HealthSource,
): Promise<HealthServer> {
  const gate = new MetricsGate(options);
  const isReady = keptFor(KEPT_MS, () => source.isReady());
  const respond = async (request: IncomingMessage, response: ServerResponse) => {
    if (request.method !== 'GET') return answer(response, 405, { error: 'MethodNotAllowed' });
    switch (request.url?.split('?')[0]) {
      case '/health':
        return answer(response, 200, { status: 'ok' });
      case '/ready': {
        const ready = await inTime(isReady());
        return answer(response, ready ? 200 : 503, { status: ready ? 'ready' : 'not ready' });
      }
      case '/status':
        return answer(response, 200, await inTime(source.status()));
      case '/metrics': {
        const refusal = gate.refusal(request);
        if (refusal) return refuse(response, refusal);
        const text = await inTime(source.metrics());
        response.writeHead(200, { 'content-type': METRICS_TYPE, 'cache-control': 'no-store' });
        return response.end(text);
      }
      default:
        return answer(response, 404, { error: 'NotFound' });
    }
  };
  const server = createServer((request, response) => {
    respond(request, response).catch(() => {
      if (response.headersSent) response.destroy();
      else answer(response, 503, { error: 'Unavailable' });
    });
  });
  server.listen(options.port, options.host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

async function inTime<T>(answering: Promise<T>): Promise<T> {
  const late = sleep(ANSWER_WITHIN_MS, undefined, { ref: false }).then(() => {
    throw new Error('the answer takes too long');
  });
  return Promise.race([answering, late]);
}

function refuse(response: ServerResponse, status: 401 | 429): void {
  if (status === 401) response.setHeader('www-authenticate', 'Basic realm="admin"');
  else response.setHeader('retry-after', '60');
  answer(response, status, { error: status === 401 ? 'AuthRequired' : 'RateLimitExceeded' });
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}
