import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createPrismaClient, type PrismaClient } from '../index.ts';
import { createTestDatabase, type TestDatabase } from '../testing/index.ts';
import { GATEWAY_ROLE } from './gateway-role.ts';
import { PUBLIC_TABLES } from './public-tables.ts';
import { whyUnguarded } from './row-security.ts';

const NODE = 'did:web:node.test';
const [OPEN, CLOSED] = [`${NODE}/open`, `${NODE}/closed`];
const [ALICE, BOB] = ['did:plc:alice', 'did:plc:bob'];
const GUARDED = [
  'stratos_change',
  'stratos_membership',
  'stratos_membership_boundary',
  'stratos_post',
  'stratos_post_boundary',
  'stratos_post_reference',
];

let database: TestDatabase;
let owner: Client;
let gateway: Client;
beforeAll(async () => {
  database = await createTestDatabase();
  owner = await connect(database.url);
  gateway = await connect(database.gatewayUrl);
  await fill(owner);
});
afterAll(async () => {
  await gateway.end();
  await owner.end();
  await database[Symbol.asyncDispose]();
});

interface Reader {
  viewer?: string;
  scope?: string[];
}

/** What the gateway's role gets by a query that filters nothing itself. */
async function select(sql: string, { viewer, scope }: Reader = {}): Promise<string[]> {
  await gateway.query('begin');
  try {
    if (viewer) await gateway.query("select set_config('stratos.viewer', $1, true)", [viewer]);
    if (scope) {
      await gateway.query("select set_config('stratos.scope', $1, true)", [scope.join(' ')]);
    }
    const { rows } = await gateway.query({ text: sql, rowMode: 'array' });
    return rows.map((row: unknown[]) => row.join(' ')).sort();
  } finally {
    await gateway.query('rollback');
  }
}

describe('a raw select by the role of the gateway', () => {
  const posts = 'select rkey from stratos_post';

  test.each(GUARDED)('finds nothing in %s before the transaction says for whom', async (table) => {
    expect((await owner.query(`select from ${table}`)).rowCount).toBeGreaterThan(0);
    expect(await select(`select 1 from ${table}`)).toEqual([]);
    expect(await select(`select 1 from ${table}`, { viewer: '', scope: [''] })).toEqual([]);
    expect(await select(`select 1 from ${table}`, { viewer: 'did:plc:carol' })).toEqual([]);
  });

  test('finds the posts that the scope overlaps, and those of the viewer', async () => {
    expect(await select(posts, { viewer: ALICE, scope: [OPEN] })).toEqual(['both', 'mine', 'open']);
    expect(await select(posts, { viewer: ALICE, scope: [CLOSED] })).toEqual([
      'both',
      'closed',
      'mine',
      'widened',
    ]);
    expect(await select(posts, { viewer: ALICE })).toEqual(['mine']);
    expect(await select(posts, { viewer: 'did:plc:carol', scope: [`${OPEN}er`] })).toEqual([]);
    const all = ['both', 'closed', 'left', 'open', 'widened'];
    expect(await select(posts, { viewer: BOB })).toEqual(all);
  });

  test('finds who may read what in the scope alone', async () => {
    for (const table of ['stratos_post_boundary', 'stratos_post_reference']) {
      const boundaries = `select distinct boundary from ${table}`;
      expect(await select(boundaries, { viewer: ALICE, scope: [OPEN] })).toEqual([OPEN]);
      expect(await select(boundaries, { viewer: BOB })).toEqual([]);
    }
  });

  test('finds the memberships of the viewer alone', async () => {
    for (const table of ['stratos_membership', 'stratos_membership_boundary']) {
      const members = `select distinct did from ${table}`;
      expect(await select(members, { viewer: ALICE, scope: [OPEN, CLOSED] })).toEqual([ALICE]);
    }
  });

  test('finds the changes in the scope, and of memberships those of the viewer', async () => {
    const changes = 'select kind, did from stratos_change';
    expect(await select(changes, { viewer: ALICE, scope: [OPEN] })).toEqual([
      `membership ${ALICE}`,
      `post ${BOB}`,
    ]);
    expect(await select(changes, { viewer: ALICE, scope: [CLOSED] })).toEqual([
      `gone ${BOB}`,
      `membership ${ALICE}`,
    ]);
  });
});

test.each(GUARDED)('it is row security that hides %s, and nothing else', async (table) => {
  const all = (await owner.query(`select from ${table}`)).rowCount;
  await owner.query(`alter table ${table} disable row level security`);
  try {
    expect(await select(`select 1 from ${table}`)).toHaveLength(all ?? 0);
  } finally {
    await owner.query(`alter table ${table} enable row level security`);
  }
  await owner.query('begin');
  const { rows } = await owner.query('select policyname from pg_policies where tablename = $1', [
    table,
  ]);
  for (const { policyname } of rows) await owner.query(`drop policy ${policyname} on ${table}`);
  await owner.query(`set local role ${GATEWAY_ROLE}`);
  await owner.query("select set_config('stratos.viewer', $1, true)", [BOB]);
  expect((await owner.query(`select from ${table}`)).rowCount).toBe(0);
  await owner.query('rollback');
});

test('every table has row security, or is public for a reason', async () => {
  const { rows } = await owner.query(
    `select relname as name, relrowsecurity as guarded from pg_class
     where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f')`,
  );
  const open = rows.filter(({ guarded }) => !guarded).map(({ name }) => name);
  // A new table gets ALTER TABLE … ENABLE ROW LEVEL SECURITY in its migration, which closes it, and a
  // policy if the gateway reads it.
  expect(open.sort()).toEqual(Object.keys(PUBLIC_TABLES).sort());
});

test('the role of the gateway may read these tables, and nothing else', async () => {
  const { rows } = await owner.query(
    `select relname as name, string_agg(privilege_type, ' ') as privileges
     from pg_class cross join lateral aclexplode(relacl) as acl
     where relnamespace = 'public'::regnamespace
       and acl.grantee in (0, $1::regrole) group by 1 order by 1`,
    [GATEWAY_ROLE],
  );
  const open = ['stratos_actor', 'stratos_node', 'stratos_stub'];
  expect(rows).toEqual(
    [...GUARDED, ...open].sort().map((name) => ({ name, privileges: 'SELECT' })),
  );
  for (const statement of [
    'select from stratos_proof',
    'select from stratos_quarantine',
    'delete from stratos_post',
    'create table anything ()',
    'set role stratos',
  ]) {
    await expect(gateway.query(statement)).rejects.toThrow(/permission denied/);
  }
});

test('five functions run by the rights of their owner', async () => {
  const { rows } = await owner.query(
    `select proname as name from pg_proc
     where pronamespace = 'public'::regnamespace and prosecdef
       and has_function_privilege($1, oid, 'execute') order by 1`,
    [GATEWAY_ROLE],
  );
  expect(rows).toEqual([
    { name: 'stratos_changes_after' },
    { name: 'stratos_post_proof' },
    { name: 'stratos_search' },
    { name: 'stratos_stub_counts' },
    { name: 'stratos_stubs_ahead' },
  ]);
});

describe('the changes of everybody', () => {
  const changes = (role: Client, seq: bigint | string, limit: number | null) =>
    role.query('select * from stratos_changes_after($1, $2)', [seq, limit]);

  test('are told to the gateway by their routing alone, in order, from a position on', async () => {
    const { rows, fields } = await changes(gateway, '0', 10);
    expect(fields.map(({ name }) => name)).toEqual([
      'seq',
      'kind',
      'node_did',
      'did',
      'uri',
      'boundaries',
    ]);
    expect(rows.map(({ kind, did }) => `${kind} ${did}`)).toEqual([
      `membership ${ALICE}`,
      `membership ${BOB}`,
      `post ${BOB}`,
      `gone ${BOB}`,
    ]);
    const later = await changes(gateway, rows[1].seq, 1);
    expect(later.rows).toEqual([rows[2]]);
  });

  test('are told a thousand at a time', async () => {
    await owner.query('begin');
    await owner.query(`insert into stratos_change (kind, did)
      select 'account', '${ALICE}' from generate_series(1, 1001)`);
    expect((await changes(owner, '0', null)).rowCount).toBe(1_000);
    expect((await changes(owner, '0', 1_001)).rowCount).toBe(1_000);
    await owner.query('rollback');
  });

  test('are told to nobody who is not the gateway', async () => {
    const role = `test_${randomBytes(6).toString('hex')}`;
    await owner.query(`begin; create role ${role}; grant usage on schema public to ${role}`);
    await owner.query(`set local role ${role}`);
    await expect(changes(owner, '0', 1)).rejects.toThrow(/permission denied/);
    await owner.query('rollback');
  });
});

describe('what a transaction says of its viewer', () => {
  let prisma: PrismaClient;
  beforeAll(() => {
    prisma = createPrismaClient(database.gatewayUrl, { poolSize: 1 });
  });
  afterAll(() => prisma.$disconnect());

  const count = () => prisma.post.count();
  const forAlice = (
    after: (transaction: Pick<PrismaClient, '$queryRawUnsafe'>) => Promise<unknown>,
  ) =>
    prisma.$transaction(async (transaction) => {
      await transaction.$queryRaw`select set_config('stratos.viewer', ${ALICE}, true),
        set_config('stratos.scope', ${OPEN}, true)`;
      expect(await transaction.post.count()).toBe(3);
      return after(transaction);
    });
  const connection = async () => {
    const [row] = await prisma.$queryRaw<{ pid: number }[]>`select pg_backend_pid() as pid`;
    return row?.pid;
  };

  test('is forgotten by its connection, however it ends', async () => {
    const before = await connection();
    expect(await count()).toBe(0);
    await forAlice(() => Promise.resolve());
    expect(await count()).toBe(0);
    const givenUp = forAlice(() => Promise.reject(new Error('given up')));
    await expect(givenUp).rejects.toThrow('given up');
    expect(await count()).toBe(0);
    await expect(
      forAlice((transaction) => transaction.$queryRawUnsafe('select 1/0')),
    ).rejects.toThrow();
    expect(await count()).toBe(0);
    expect(await connection()).toBe(before);
  });

  test('would stay with the connection if it were not for the transaction alone', async () => {
    await prisma.$queryRaw`select set_config('stratos.viewer', ${ALICE}, false)`;
    expect(await count()).toBe(1);
    await prisma.$queryRaw`select set_config('stratos.viewer', '', false)`;
  });
});

describe('a gateway would be unguarded', () => {
  async function why(url: string): Promise<string | undefined> {
    const prisma = createPrismaClient(url, { poolSize: 1 });
    try {
      return await whyUnguarded(prisma);
    } finally {
      await prisma.$disconnect();
    }
  }

  async function whyAs(setUp: (role: string) => string): Promise<string | undefined> {
    const role = `test_${randomBytes(6).toString('hex')}`;
    await owner.query(`create role ${role} login password 'secret'; ${setUp(role)}`);
    try {
      const url = new URL(database.url);
      url.username = role;
      url.password = 'secret';
      return (await why(url.href))?.replaceAll(role, 'it');
    } finally {
      await owner.query(`reassign owned by ${role} to current_user`);
      await owner.query(`drop owned by ${role}; drop role ${role}`);
    }
  }

  const as = `grant ${GATEWAY_ROLE} to`;

  test('by no login of its role', async () => {
    expect(await why(database.gatewayUrl)).toBeUndefined();
    expect(await whyAs((role) => `${as} ${role}`)).toBeUndefined();
  });

  test.each<[string, (role: string) => string, RegExp]>([
    ['a superuser', (role) => `alter role ${role} superuser`, /'it' bypasses/],
    ['BYPASSRLS', (role) => `${as} ${role}; alter role ${role} bypassrls`, /'it' bypasses/],
    [
      'who may become a superuser',
      (role) => `grant stratos to ${role} with inherit false`,
      /bypasses/,
    ],
    ['an owner', (role) => `alter table stratos_proof owner to ${role}`, /'it' in stratos_proof$/],
    [
      'who may read more',
      (role) =>
        `${as} ${role}; create view secrets as table stratos_post; grant select on secrets to ${role}`,
      /'it' in secrets$/,
    ],
    ['who may read nothing', () => '', /no table/],
  ])('by %s', async (_, setUp, reason) => {
    expect(await whyAs(setUp)).toMatch(reason);
    await owner.query('drop view if exists secrets');
  });

  test('by a table that has lost its row security', async () => {
    await owner.query('alter table stratos_post disable row level security');
    expect(await why(database.gatewayUrl)).toMatch(/in stratos_post$/);
    await owner.query('alter table stratos_post enable row level security');
  });

  test('by a database without tables', async () => {
    await using empty = await createTestDatabase({ empty: true });
    expect(await why(empty.url)).toMatch(/bypasses/);
    expect(await why(empty.gatewayUrl)).toMatch(/no table/);
  });
});

test('no boundary can stand for two in the scope', async () => {
  const insert =
    'insert into stratos_membership_boundary (did, node_did, boundary) values ($1, $2, $3)';
  await expect(
    owner.query(insert, [ALICE, NODE, `${NODE}/a did:web:other.test/b`]),
  ).rejects.toThrow(/space_check/);
});

async function connect(url: string): Promise<Client> {
  const client = new Client(url);
  await client.connect();
  return client;
}

async function fill(client: Client): Promise<void> {
  await client.query(
    `insert into stratos_node (did, endpoint) values ('${NODE}', 'http://node.test')`,
  );
  for (const did of [ALICE, BOB]) {
    await client.query(
      `insert into stratos_membership (did, node_did, active, seq, signing_key, issued_at)
       values ($1, $2, true, 1, 'did:key:test', now())`,
      [did, NODE],
    );
    await client.query(
      'insert into stratos_membership_boundary (did, node_did, boundary) values ($1, $2, $3)',
      [did, NODE, OPEN],
    );
    await client.query(
      `insert into stratos_change (kind, node_did, did, boundaries) values ('membership', $1, $2, $3)`,
      [NODE, did, [OPEN]],
    );
  }
  await client.query(
    `insert into stratos_change (kind, node_did, did, uri, boundaries)
     values ('post', $1, $2, $5, $3), ('gone', $1, $2, $5, $4)`,
    [NODE, BOB, [OPEN], [CLOSED], `at://${BOB}/zone.stratos.feed.post/changed`],
  );
  const posts: [author: string, rkey: string, signed: string[], readers: string[]][] = [
    [BOB, 'open', [OPEN], [OPEN]],
    [BOB, 'closed', [CLOSED], [CLOSED]],
    [BOB, 'both', [OPEN, CLOSED], [OPEN, CLOSED]],
    [BOB, 'left', [OPEN, CLOSED], []],
    [BOB, 'widened', [CLOSED], [OPEN, CLOSED]],
    [ALICE, 'mine', [CLOSED], []],
  ];
  for (const [author, rkey, signed, readers] of posts) {
    const uri = `at://${author}/zone.stratos.feed.post/${rkey}`;
    await client.query(
      `insert into stratos_post (uri, node_did, cid, did, rkey, rev, record, text, reply_root, reply_parent,
         created_at, indexed_at, sort_at, boundaries)
       values ($1, $2, 'cid', $3, $4, 'rev', '\\x00', '', 'at://did:plc:carol/x/y', 'at://did:plc:carol/x/y',
         now(), now(), now(), $5)`,
      [uri, NODE, author, rkey, signed],
    );
    await client.query(
      `insert into stratos_post_boundary (boundary, sort_at, uri, node_did, did, cid, indexed_at)
       select boundary, now(), $1, $2, $3, 'cid', now() from unnest($4::text[]) as boundary`,
      [uri, NODE, author, readers],
    );
  }
}
