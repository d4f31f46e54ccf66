import { once } from 'node:events';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Express } from 'express';

/** Milliseconds that open requests and streams get when the server stops. */
const DRAIN_MS = 4_000;

/** An HTTP server that is listening. Disposing of it lets open requests finish, within reason. */
export class HttpServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isStopping = false;

  private constructor(server: Server) {
    this.#server = server;
    // @NOTE the server itself forgets sockets that became WebSockets, and would wait for them
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    // @NOTE a client may have all of an answer before the server is done with it, and keep the connection
    server.on('request', (_req, res: ServerResponse) => {
      res.once('close', () => {
        if (this.#isStopping) setImmediate(() => server.closeIdleConnections());
      });
    });
  }

  /** Rejects if the port is taken. Without a host it listens everywhere. */
  static async listen(app: Express, port: number, host?: string): Promise<HttpServer> {
    // @NOTE by the app itself, where xrpc-server takes up WebSockets
    const server = host === undefined ? app.listen(port) : app.listen(port, host);
    const opened = new HttpServer(server);
    await once(server, 'listening');
    return opened;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopping = true;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeIdleConnections();
    const timer = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy();
    }, DRAIN_MS);
    await closed;
    clearTimeout(timer);
  }
}
