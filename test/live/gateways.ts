import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { LocalNetwork } from '../network/src/index.ts';

const MAIN = fileURLToPath(new URL('../../gateway/src/main.ts', import.meta.url));

/** A gateway in a process of its own, which can be killed. */
export interface Gateway extends AsyncDisposable {
  readonly url: string;
  kill(): Promise<void>;
}

/** The gateway of a network, and two more on the same database. */
export async function threeGateways(network: LocalNetwork): Promise<Gateway[]> {
  const first = network.service('gateway');
  const kill = () => first.kill();
  return [
    { url: network.topology.gateway.url, kill, [Symbol.asyncDispose]: kill },
    ...(await Promise.all([startAnother(first.env), startAnother(first.env)])),
  ];
}

async function startAnother(env: Readonly<Record<string, string>>): Promise<Gateway> {
  const child = spawn(process.execPath, [MAIN], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...env, GATEWAY_PORT: '0', LOG_LEVEL: 'info' },
  });
  const ended = once(child, 'exit');
  const kill = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  const [line] = await once(child.stdout, 'data');
  child.stdout.resume();
  return { url: `http://localhost:${JSON.parse(line).port}`, kill, [Symbol.asyncDispose]: kill };
}
