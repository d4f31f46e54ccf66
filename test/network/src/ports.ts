import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Every port of the local network: what it is for, the variable that changes it, its default. */
export const PORTS = {
  plc: { purpose: 'the PLC directory', variable: 'PLC_PORT', default: 2582 },
  pds: { purpose: 'the PDS', variable: 'PDS_PORT', default: 2583 },
  postgres: { purpose: 'the embedded Postgres', variable: 'POSTGRES_PORT', default: 5433 },
  indexer: { purpose: 'the health page of the indexer', variable: 'INDEXER_PORT', default: 3002 },
  nodeA: { purpose: 'the first Stratos node', variable: 'NODE_A_PORT', default: 3100 },
  nodeB: { purpose: 'the second Stratos node', variable: 'NODE_B_PORT', default: 3200 },
  gateway: { purpose: 'the gateway', variable: 'GATEWAY_PORT', default: 4000 },
} as const;

export type PortName = keyof typeof PORTS;
export type Ports = Readonly<Record<PortName, number>>;

const NAMES = Object.keys(PORTS) as PortName[];
const LOOPBACK = ['127.0.0.1', '::1'];

/** A port variable that cannot be used, or a port that somebody else has. */
export class PortError extends Error {
  override name = 'PortError';
}

/** The ports that the environment asks for, with the defaults for the rest. Throws {@link PortError}. */
export function portsFromEnvironment(env: NodeJS.ProcessEnv): Ports {
  const ports = portsBy((name) => parsePort(PORTS[name].variable, env[PORTS[name].variable], name));
  for (const name of NAMES) {
    const twin = NAMES.find((other) => other !== name && ports[other] === ports[name]);
    if (twin) {
      throw new PortError(
        `Port ${ports[name]} is asked for twice, by ${PORTS[name].variable} and by ${PORTS[twin].variable}.`,
      );
    }
  }
  return ports;
}

/** Of these Linux gives none to outgoing connections, and browsers refuse none. */
const QUIET = [12_000, 32_000] as const;

/** Ports that were free a moment ago, for networks that run beside others. */
export async function freePorts(): Promise<Ports> {
  for (;;) {
    const numbers = new Set<number>();
    while (numbers.size < NAMES.length) numbers.add(randomInt(...QUIET));
    const ports = portsBy((_name, index) => [...numbers][index] as number);
    try {
      await requireFreePorts(ports);
      return ports;
    } catch (error) {
      if (!(error instanceof PortError)) throw error;
    }
  }
}

/** Throws {@link PortError} for the first port that is taken, naming it, its purpose and its variable. */
export async function requireFreePorts(ports: Ports): Promise<void> {
  for (const name of NAMES) {
    for (const host of LOOPBACK) {
      try {
        await close(await listen(ports[name], host));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') throw taken(name, ports[name]);
        if ((error as NodeJS.ErrnoException).code === 'EACCES') throw forbidden(name, ports[name]);
      }
    }
  }
}

function taken(name: PortName, port: number): PortError {
  const { purpose, variable } = PORTS[name];
  return new PortError(
    `Port ${port} is already in use, and ${purpose} needs it. Stop what uses it, or choose another one: ${variable}=${port < 50_000 ? port + 10_000 : port - 10_000} npm start`,
  );
}

function forbidden(name: PortName, port: number): PortError {
  const { purpose, variable } = PORTS[name];
  return new PortError(
    `Port ${port}, for ${purpose}, may not be opened by this user. Choose another one with ${variable}.`,
  );
}

function parsePort(variable: string, value: string | undefined, name: PortName): number {
  if (value === undefined || value === '') return PORTS[name].default;
  const port = Number(value);
  if (!/^\d+$/.test(value) || port < 1 || port > 65535) {
    throw new PortError(`${variable} must be a port from 1 to 65535, not '${value}'.`);
  }
  return port;
}

function portsBy(choose: (name: PortName, index: number) => number): Ports {
  return Object.fromEntries(NAMES.map((name, index) => [name, choose(name, index)])) as Ports;
}

async function listen(port: number, host: string) {
  const server = createServer();
  server.listen(port, host);
  await once(server, 'listening');
  return server;
}

async function close(server: ReturnType<typeof createServer>): Promise<void> {
  server.close();
  await once(server, 'close');
}
