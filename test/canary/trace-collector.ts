import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** Takes the traces that services send by OTLP over HTTP, and keeps them as they come. */
export class TraceCollector implements AsyncDisposable {
  readonly url: string;
  readonly received: string[];
  readonly #close: () => Promise<void>;

  private constructor(url: string, received: string[], close: () => Promise<void>) {
    this.url = url;
    this.received = received;
    this.#close = close;
  }

  static async start(): Promise<TraceCollector> {
    const received: string[] = [];
    const server = createServer(async (req, res) => {
      received.push(JSON.stringify(req.headers) + (await text(req)));
      res.setHeader('content-type', 'application/json').end('{}');
    });
    await once(server.listen(0, 'localhost'), 'listening');
    const { port } = server.address() as AddressInfo;
    return new TraceCollector(`http://localhost:${port}`, received, async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
  }

  /** Whether a service has sent anything. */
  hasHeardOf(service: string): boolean {
    return this.received.some((text) => text.includes(`"${service}"`));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#close();
  }
}
