import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'stratos-'));
});
afterEach(() => rm(dataDir, { recursive: true }));

function start(port: number, env: Record<string, string> = {}): ChildProcess {
  return spawn(process.execPath, [MAIN], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      STRATOS_SERVICE_DID: 'did:web:localhost',
      STRATOS_PUBLIC_URL: `http://localhost:${port}`,
      STRATOS_PORT: String(port),
      STRATOS_DATA_DIR: dataDir,
      STRATOS_ALLOWED_DOMAINS: 'swordsmith',
      STRATOS_DEV_MODE: 'true',
      ...env,
    },
  });
}

async function listenSomewhere() {
  const server = createServer().listen(0);
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

async function freePort(): Promise<number> {
  const { server, port } = await listenSomewhere();
  server.close();
  await once(server, 'close');
  return port;
}

async function failure(child: ChildProcess): Promise<[code: unknown, message: string]> {
  const message = child.stderr ? text(child.stderr) : '';
  const [code] = await once(child, 'exit');
  return [code, await message];
}

it('serves until it is told to stop, and then ends well', async () => {
  const port = await freePort();
  const child = start(port);
  const exited = once(child, 'exit');
  const isReady = () =>
    fetch(`http://localhost:${port}/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  while (!(await isReady())) {
    expect(child.exitCode).toBeNull();
    await sleep(50);
  }
  child.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
});

it('names the variable that is wrong', async () => {
  const [code, message] = await failure(start(1, { STORAGE_BACKEND: 'mysql' }));
  expect(code).toBe(1);
  expect(message).toMatch(/^the node cannot run: STORAGE_BACKEND: [^\n]*\n$/);
});

it('names the port that is taken', async () => {
  const { server, port } = await listenSomewhere();
  const [code, message] = await failure(start(port));
  server.close();
  expect([code, message]).toEqual([1, `the node cannot run: port ${port} is in use\n`]);
});
