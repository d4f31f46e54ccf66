import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePorts, PORTS, type Ports } from '../network/src/index.ts';
import { eventually } from './eventually.ts';
import { graphql } from './surfaces.ts';

const PROJECT = join(import.meta.dirname, '../..');
const TIMELINE = { query: '{ timeline { edges { node { text } } } }' };

let dataDir: string;
let ports: Ports;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'stratos-start-'));
  ports = await freePorts();
  const variables = Object.entries(PORTS).map(([name, { variable }]) => [
    variable,
    String(ports[name as keyof Ports]),
  ]);
  env = {
    ...process.env,
    ...Object.fromEntries(variables),
    LOCAL_DATA_DIR: dataDir,
    NO_COLOR: '1',
  };
});
afterAll(() => rm(dataDir, { recursive: true, force: true }));

interface Run {
  child: ChildProcess;
  output(): string;
  ended: Promise<number | null>;
}

function npm(...args: string[]): Run {
  const child = spawn('npm', args, { cwd: PROJECT, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout?.on('data', (chunk) => (output += chunk));
  child.stderr?.on('data', (chunk) => (output += chunk));
  return { child, output: () => output, ended: once(child, 'exit').then(([code]) => code) };
}

/** Runs `npm start` until its last screen, then `during`, then stops it as Ctrl-C would. */
async function whileStarted(during: (screen: string) => Promise<void>): Promise<string> {
  const run = npm('start');
  const early = run.ended.then((code) => {
    throw new Error(`npm start ended with ${code}:\n${run.output()}`);
  });
  early.catch(() => undefined);
  await Promise.race([
    eventually(async () => expect(run.output()).toContain('Ctrl-C'), 90_000),
    early,
  ]);
  try {
    await during(run.output());
  } finally {
    run.child.kill('SIGTERM');
  }
  expect(await run.ended).toBe(0);
  return run.output();
}

/** Command lines of processes that have to do with this network. */
async function processesLeft(): Promise<string[]> {
  const left: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const [command, environ] = await Promise.all(
      ['cmdline', 'environ'].map((file) =>
        readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => ''),
      ),
    );
    const isTest = Number(pid) === process.pid || Number(pid) === process.ppid;
    if (!isTest && `${command}${environ}`.includes(dataDir)) left.push(command ?? pid);
  }
  return left;
}

/** Addresses, as the kernel writes them, on which the ports of this network are listened to. */
async function listenAddresses(): Promise<Set<string>> {
  const LISTENING = '0A';
  const addresses = new Set<string>();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of (await readFile(table, 'utf8')).split('\n').slice(1)) {
      const [, local = '', , state] = line.trim().split(/\s+/);
      const [address = '', port = ''] = local.split(':');
      const isOurs = Object.values(ports).includes(Number.parseInt(port, 16));
      if (isOurs && state === LISTENING) addresses.add(address);
    }
  }
  return addresses;
}

async function timelineOf(handle: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)('npm', ['run', '--silent', 'token', '--', handle], {
    cwd: PROJECT,
    env,
  });
  const { text } = await graphql(`http://localhost:${ports.gateway}`, stdout.trim(), TIMELINE);
  const edges: { node: { text: string } }[] = JSON.parse(text).data.timeline.edges;
  return edges.map(({ node }) => node.text);
}

describe('npm start', () => {
  it('names a busy port, what it is for, and how to choose another', async () => {
    const server = createServer().listen(ports.nodeB, '127.0.0.1');
    await once(server, 'listening');
    const run = npm('start');
    expect(await run.ended).not.toBe(0);
    expect(run.output()).toContain(`Port ${ports.nodeB}`);
    expect(run.output()).toContain('NODE_B_PORT');
    server.close();
    await once(server, 'close');
  });

  it('shows its steps, serves, stops without a trace, and finds its data again', async () => {
    let first: string[] = [];
    const output = await whileStarted(async (screen) => {
      expect(screen).toContain(`http://localhost:${ports.gateway}/`);
      expect((await fetch(`http://localhost:${ports.gateway}/ready`)).status).toBe(200);
      expect(await listenAddresses(), '127.0.0.1 alone').toEqual(new Set(['0100007F']));
      first = await timelineOf('haruki.test');
      expect(first.length).toBeGreaterThan(5);
      expect(await timelineOf('mika.test')).toEqual([]);
    });
    expect(output).toContain('Stopped.');
    expect(await processesLeft()).toEqual([]);

    await whileStarted(async () => {
      expect(await timelineOf('haruki.test')).toEqual(first);
    });
    expect(await processesLeft()).toEqual([]);
  });
});
