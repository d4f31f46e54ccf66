import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { type EmbeddedDatabase, startEmbeddedPostgres } from '../embedded/embedded-postgres.ts';
import { migrate } from '../migrations/migrate.ts';
import { migrationNames } from '../migrations/migration-files.ts';
import { createGatewayLogin } from './gateway-login.ts';
import { GATEWAY_ROLE, GatewayRoleError } from './gateway-role.ts';

// Roles belong to the server, and that of the other tests has the role already.
let postgres: EmbeddedDatabase;
let made = 0;
beforeAll(async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'stratos-roles-'));
  postgres = await startEmbeddedPostgres({ dataDir, port: 0, persistent: false });
});
afterAll(() => postgres?.[Symbol.asyncDispose]());

beforeEach(async () => {
  for (let index = 0; index < made; index++) await administer(`drop database db${index}`);
  made = 0;
  for (const role of ['gateway', GATEWAY_ROLE, 'keeper']) {
    await administer(`drop role if exists ${role}`);
  }
});

test('databases of one server that migrate at once share the role', async () => {
  const urls = await Promise.all([1, 2, 3].map(() => newDatabase()));
  const runs = await Promise.all(urls.map(migrate));
  for (const applied of runs) expect(applied).toEqual(await migrationNames());
  const sql = 'select rolcanlogin as "logsIn" from pg_roles where rolname = $1';
  expect(await administer(sql, [GATEWAY_ROLE])).toEqual([{ logsIn: false }]);
});

test('a role that another database makes in the very same moment will do', async () => {
  const url = await newDatabase();
  const other = new Client(postgres.url('postgres'));
  await other.connect();
  try {
    await other.query(`begin; create role ${GATEWAY_ROLE} nologin`);
    const migrating = migrate(url);
    await vi.waitFor(async () => {
      const sql = 'select pid from pg_stat_activity where $1 = any(pg_blocking_pids(pid))';
      const { rows } = await other.query<{ pid: number }>('select pg_backend_pid() as pid');
      expect(await administer(sql, [rows[0]?.pid])).toHaveLength(1);
    }, 10_000);
    await other.query('commit');
    expect(await migrating).toEqual(await migrationNames());
  } finally {
    await other.end();
  }
});

test('an owner who may make roles needs to be nothing more', async () => {
  await administer("create role keeper login createrole password 'secret'");
  const url = await newDatabase('keeper');
  expect(await migrate(url)).toEqual(await migrationNames());
});

test('an owner who may not is told what is missing, and can go on afterwards', async () => {
  await administer("create role keeper login password 'secret'");
  const url = await newDatabase('keeper');
  const refused = migrate(url);
  await expect(refused).rejects.toThrow(GatewayRoleError);
  await expect(refused).rejects.toThrow('keeper may not make one');
  expect(await query(url, 'select from pg_tables where tablename = $1', ['stratos_node'])).toEqual(
    [],
  );
  await administer(`create role ${GATEWAY_ROLE} nologin`);
  expect(await migrate(url)).toEqual(await migrationNames());
});

test('a login for the gateway takes its newest password, and no other', async () => {
  const url = await newDatabase();
  await migrate(url);
  const old = await createGatewayLogin(url, 'an old password');
  const current = await createGatewayLogin(url, "it's new");
  expect(await query(current, 'select current_user as name')).toEqual([{ name: 'gateway' }]);
  expect(await query(current, 'select from stratos_node')).toEqual([]);
  await expect(query(current, 'select from stratos_proof')).rejects.toThrow(/permission denied/);
  await expect(query(old, 'select 1')).rejects.toThrow(/password/);
});

/** A new database, whose address has the name and password of its owner. */
async function newDatabase(owner = 'stratos'): Promise<string> {
  const name = `db${made++}`;
  await administer(`create database ${name} owner ${owner}`);
  const url = new URL(postgres.url(name));
  if (owner !== 'stratos') [url.username, url.password] = [owner, 'secret'];
  return url.href;
}

function administer(sql: string, values?: unknown[]) {
  return query(postgres.url('postgres'), sql, values);
}

async function query(connectionString: string, sql: string, values: unknown[] = []) {
  const client = new Client({ connectionString });
  try {
    await client.connect();
    const { rows } = await client.query<Record<string, unknown>>(sql, values);
    return rows;
  } finally {
    await client.end().catch(() => {});
  }
}
