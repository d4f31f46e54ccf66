import { spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const SERVER = ['valkey-server', 'redis-server'].find(
  (command) => spawnSync(command, ['--version']).status === 0,
);

/** Whether this machine has a Valkey or Redis to test with. */
export const hasValkey = SERVER !== undefined;
if (!hasValkey) console.warn('neither valkey-server nor redis-server is installed: not tested');

/** A server of a test's own. */
export interface TestValkey extends AsyncDisposable {
  readonly url: string;
}

export async function startValkey(): Promise<TestValkey> {
  const port = await freePort();
  const options = ['--port', String(port), '--save', '', '--appendonly', 'no'];
  const server = spawn(SERVER ?? '', options);
  await new Promise<void>((resolve) => {
    server.stdout.on('data', (text) => String(text).includes('Ready to accept') && resolve());
  });
  return {
    url: `redis://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      const ended = new Promise((resolve) => server.once('exit', resolve));
      server.kill();
      await ended;
    },
  };
}

/** A port on which nobody listens. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
