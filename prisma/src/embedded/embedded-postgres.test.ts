import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startEmbeddedPostgres } from './embedded-postgres.ts';
import { freePort } from './port.ts';

let dataDir: string;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'stratos-embedded-'));
});
afterAll(async () => {
  await rm(dataDir, { recursive: true, force: true });
});

test('keeps its data over a restart, with a password that only the owner can read', async () => {
  const port = await freePort();
  {
    await using postgres = await startEmbeddedPostgres({ dataDir, port, persistent: true });
    await Promise.all([postgres.createDatabase('appview')]);
    await postgres.createDatabase('appview');
    await query(postgres.url('appview'), 'create table kept as select 7 as value');
    expect((await stat(join(dataDir, 'password'))).mode & 0o077).toBe(0);
    const wrong = postgres.url('appview').replace(/:[^:@]+@/, ':wrong@');
    await expect(query(wrong, 'select 1')).rejects.toThrow(/password/);
    const address = await query(postgres.url('appview'), 'show listen_addresses');
    expect(address).toEqual([{ listen_addresses: '127.0.0.1' }]);
  }
  await using again = await startEmbeddedPostgres({ dataDir, port, persistent: true });
  expect(await query(again.url('appview'), 'select value from kept')).toEqual([{ value: 7 }]);
});

test('takes over from an owner that was killed, never from one that lives', async () => {
  const script = `
    const { startEmbeddedPostgres } = await import(${JSON.stringify(join(import.meta.dirname, 'embedded-postgres.ts'))});
    await startEmbeddedPostgres({ dataDir: ${JSON.stringify(dataDir)}, port: 0, persistent: true });
    console.log('ready');
    setInterval(() => {}, 1000);`;
  const owner = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(owner.stdout, 'data');
  await expect(startEmbeddedPostgres({ dataDir, port: 0, persistent: true })).rejects.toThrow(
    /in use by another process/,
  );

  owner.kill('SIGKILL');
  await once(owner, 'exit');
  const orphan = Number(
    (await readFile(join(dataDir, 'cluster/postmaster.pid'), 'utf8')).split('\n')[0],
  );
  process.kill(orphan, 0);

  await using postgres = await startEmbeddedPostgres({ dataDir, port: 0, persistent: true });
  expect(await query(postgres.url('appview'), 'select value from kept')).toEqual([{ value: 7 }]);
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'pid,stat']);
  expect(stdout).not.toMatch(new RegExp(`^\\s*${orphan}\\s+[^Z]`, 'm'));
});

test.runIf(process.getuid?.() === 0)(
  'runs for root in a folder that nobody else may enter, and keeps its data there',
  async () => {
    const closed = await mkdtemp(join(tmpdir(), 'stratos-closed-'));
    const options = { dataDir: join(closed, 'data'), port: 0, persistent: true };
    try {
      {
        await using postgres = await startEmbeddedPostgres(options);
        await query(postgres.url('postgres'), 'create table kept as select 7 as value');
      }
      {
        await using again = await startEmbeddedPostgres(options);
        expect(await query(again.url('postgres'), 'select value from kept')).toHaveLength(1);
      }
      await rm(options.dataDir, { recursive: true });
      await using fresh = await startEmbeddedPostgres({ ...options, persistent: false });
      await expect(query(fresh.url('postgres'), 'select value from kept')).rejects.toThrow('kept');
    } finally {
      await rm(closed, { recursive: true });
    }
  },
);

test('leaves the signals of the process to others', () => {
  expect(process.listeners('SIGTERM').map(String).join()).not.toContain('eventFilters');
  expect(process.listeners('beforeExit').map(String).join()).not.toContain('eventFilters');
});

test('names the port that is taken', async () => {
  const squatter = createServer().listen(0, '127.0.0.1');
  await once(squatter, 'listening');
  const { port } = squatter.address() as { port: number };
  await expect(startEmbeddedPostgres({ dataDir, port, persistent: true })).rejects.toThrow(
    `Port ${port}`,
  );
  squatter.close();
});

async function query(connectionString: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString });
  client.on('error', () => {});
  try {
    await client.connect();
    return (await client.query(sql)).rows;
  } finally {
    await client.end().catch(() => {});
  }
}
