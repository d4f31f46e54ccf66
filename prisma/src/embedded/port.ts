import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/** @throws Error that names the port when somebody listens there */
export async function requireFreePort(port: number): Promise<void> {
  try {
    await listenOnce(port);
  } catch (cause) {
    throw new Error(`Port ${port} on 127.0.0.1, wanted for Postgres, is in use.`, { cause });
  }
}

export async function freePort(): Promise<number> {
  return listenOnce(0);
}

async function listenOnce(port: number): Promise<number> {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  const taken = (server.address() as AddressInfo).port;
  await new Promise((done) => server.close(done));
  return taken;
}
