import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HealthSource {
  /** Whether what the indexer is for works at this moment. */
  isReady(): Promise<boolean>;
  status(): Promise<unknown>;
}

export interface HealthServer extends AsyncDisposable {
  readonly port: number;
}

/** `GET /health` (it runs), `/ready` (it works), `/status` (where it is in each source). */
export async function startHealthServer(
  address: { host: string; port: number },
  source: HealthSource,
): Promise<HealthServer> {
  const server = createServer(async (request, response) => {
    if (request.method !== 'GET') return answer(response, 405, { error: 'MethodNotAllowed' });
    try {
      switch (request.url?.split('?')[0]) {
        case '/health':
          return answer(response, 200, { status: 'ok' });
        case '/ready': {
          const ready = await source.isReady();
          return answer(response, ready ? 200 : 503, { status: ready ? 'ready' : 'not ready' });
        }
        case '/status':
          return answer(response, 200, await source.status());
        default:
          return answer(response, 404, { error: 'NotFound' });
      }
    } catch {
      return answer(response, 503, { error: 'Unavailable' });
    }
  });
  server.listen(address.port, address.host);
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

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}
