import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Passes bytes on to a server on this machine, on connections that can be cut and held up. */
export class CuttableRelay implements AsyncDisposable {
  /** `http://` base. */
  readonly url: string;
  readonly #server: ReturnType<typeof createServer>;
  readonly #pairs = new Set<readonly [Socket, Socket]>();

  private constructor(server: ReturnType<typeof createServer>) {
    this.#server = server;
    this.url = `http://localhost:${(server.address() as AddressInfo).port}`;
  }

  static async open(targetUrl: string): Promise<CuttableRelay> {
    const { port } = new URL(targetUrl);
    const server = createServer();
    server.listen(0, 'localhost');
    await once(server, 'listening');
    const relay = new CuttableRelay(server);
    server.on('connection', (near) => relay.#pass(near, Number(port)));
    return relay;
  }

  /** Ends every connection in whatever it is saying. */
  cut(): void {
    for (const sockets of this.#pairs) for (const socket of sockets) socket.destroy();
  }

  /** Lets nothing through any more on the connections that are open, and ends none of them. */
  silence(): Socket[] {
    const sockets = [...this.#pairs].flat();
    for (const socket of sockets) socket.pause();
    return sockets;
  }

  /** Lets nothing through for so many milliseconds. */
  holdFor(ms: number): void {
    const sockets = this.silence();
    setTimeout(() => {
      for (const socket of sockets) socket.resume();
    }, ms);
  }

  #pass(near: Socket, port: number): void {
    const far = connect(port, 'localhost');
    const pair = [near, far] as const;
    this.#pairs.add(pair);
    for (const [from, to] of [pair, [far, near]] as const) {
      from.on('data', (chunk) => to.write(chunk));
      from.on('error', () => {});
      from.on('close', () => {
        to.destroy();
        this.#pairs.delete(pair);
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise((done) => this.#server.close(done));
  }
}
