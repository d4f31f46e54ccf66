import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text as readText } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { LIVE_QUERY } from '@stratos/gateway/testing';
import { type Question, SURFACES } from '@stratos/gateway/testing/doors';
import { tokenHash } from '@stratos/protocol';
import { com, zone } from '@stratos/protocol/lexicons';
import Database from 'better-sqlite3';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { DpopKey } from '../bench/dpop-key.ts';
import { eventually } from '../e2e/eventually.ts';
import {
  Browser,
  freePorts,
  type LocalNetwork,
  NodeAdmin,
  signInAndConsent,
  startLocalNetwork,
} from '../network/src/index.ts';
import { PrivateCopy } from '../private-copy.ts';
import { Canaries, type Canary } from './canaries.ts';
import { Evidence } from './evidence.ts';
import { TraceCollector } from './trace-collector.ts';

/** For what starts many processes, on a machine that does other things as well. */
const SLOW_MS = 300_000;
const PROJECT = join(import.meta.dirname, '../..');
const OURS = ['gateway', 'swordsmith', 'sailors', 'indexer'] as const;
const POST = zone.stratos.feed.post.$nsid;
const CREATE_SESSION = zone.stratos.gateway.createSession.$nsid;

/** Somebody who asks, and what they may know. */
interface Person {
  handle: string;
  token: string | undefined;
  mayKnow: Set<Canary>;
}

const canaries = new Canaries();
const evidence = new Evidence(canaries);
const operator = canaries.make('the password of an operator');

let traces: TraceCollector;
let network: LocalNetwork;
let gateway: string;
let node: { did: string; url: string };
/** In one boundary, in another of the same node, in none, and nobody. */
let member: Person;
let author: Person;
let outsider: Person;
let visitor: Person;
const stranger: Person = { handle: 'a stranger', token: undefined, mayKnow: new Set() };
let everybody: Person[];
/** Of the post that members read. */
let uri: string;

beforeAll(async () => {
  traces = await TraceCollector.start();
  const common = {
    LOG_LEVEL: 'debug',
    OTEL_EXPORTER_OTLP_ENDPOINT: traces.url,
    OTEL_BSP_SCHEDULE_DELAY: '200',
  };
  const nodeEnv = {
    ...common,
    STRATOS_ADMIN_PASSWORD: operator.secret,
    STRATOS_IP_RATE_MAX_REQUESTS: '100000',
  };
  network = await startLocalNetwork({
    ephemeral: true,
    ports: 'free',
    bare: true,
    heartbeatIntervalMs: 500,
    env: {
      gateway: {
        ...common,
        GATEWAY_ADMIN_PASSWORD: operator.secret,
        GATEWAY_STRANGER_REQUESTS_PER_MINUTE: '100000',
        GATEWAY_VIEWER_COST_PER_MINUTE: '100000000',
      },
      indexer: { ...common, INDEXER_ADMIN_PASSWORD: operator.secret },
      swordsmith: nodeEnv,
      sailors: nodeEnv,
    },
  });
  gateway = network.topology.gateway.url;
  node = network.topology.nodes.swordsmith;
  await watchKeys();
  [member, author, outsider, visitor] = await Promise.all([
    person('mina.test', 'swordsmith'),
    person('aoi.test', 'swordsmith'),
    person('otto.test', 'aekea'),
    person('vera.test'),
  ]);
  everybody = [member, author, outsider, visitor, stranger];
});
afterAll(async () => {
  await network?.[Symbol.asyncDispose]();
  await traces?.[Symbol.asyncDispose]();
});

/** The keys and passwords that the services have in files and addresses. */
async function watchKeys(): Promise<void> {
  for await (const path of glob(`${network.dataDir}/**/*.key`)) {
    const key = await readFile(path);
    canaries.watch(
      `the key in ${path.slice(network.dataDir.length)}`,
      key.toString('latin1').trim(),
    );
  }
  for (const name of ['gateway', 'indexer'] as const) {
    const { password } = new URL(network.service(name).env['DATABASE_URL'] ?? '');
    canaries.watch(`the password of ${name} for its database`, password);
  }
}

async function person(handle: string, boundary?: 'swordsmith' | 'aekea'): Promise<Person> {
  const password = canaries.make(`the password of ${handle}`);
  const { did } = await network.createAccount(handle, password.secret);
  if (boundary) {
    await network.enroll(handle, 'swordsmith');
    const admin = new NodeAdmin(node.url, operator.secret);
    await admin.setBoundaries(did, [network.boundary(boundary)]);
  }
  const token = await session(handle);
  return { handle, token, mayKnow: new Set() };
}

async function session(handle: string): Promise<string> {
  const { token } = await network.gatewaySession(handle);
  canaries.watch(`a session of ${handle}`, signatureOf(token));
  return token;
}

/** A service-auth token, which is a secret until it was used. */
async function serviceAuth(handle: string, audience: string, lxm: string): Promise<string> {
  const token = await network.serviceAuth(handle, { audience, lxm });
  canaries.watch(`a token of ${handle} for ${lxm}`, signatureOf(token));
  return token;
}

function signatureOf(jwt: string): string {
  return jwt.split('.').at(-1) ?? '';
}

/** Sends a request, and keeps all of the answer as evidence of what somebody was told. */
async function ask(who: Person, url: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(url, init);
  const copy = response.clone();
  const bytes = Buffer.from(await copy.arrayBuffer());
  const text = `${JSON.stringify([...response.headers])}\n${bytes.toString('latin1')}\n${bytes}`;
  const { pathname } = new URL(url);
  evidence.add(
    `what ${who.handle} was told by ${pathname} (${response.status})`,
    text,
    who.mayKnow,
  );
  return response;
}

function bearer(token: string | undefined): Record<string, string> {
  return token ? { authorization: `Bearer ${token}` } : {};
}

function asJson(token: string | undefined, body: unknown): RequestInit {
  const headers = { 'content-type': 'application/json', ...bearer(token) };
  return { method: 'POST', headers, body: JSON.stringify(body) };
}

/** Calls the node as somebody, by a token for this one call. */
async function askNode(
  who: Person,
  lxm: string,
  { params = {}, body, bytes }: { params?: Record<string, string>; body?: unknown; bytes?: Buffer },
): Promise<Response> {
  const token = who.token && (await serviceAuth(who.handle, node.did, lxm));
  const url = `${node.url}/xrpc/${lxm}?${new URLSearchParams(params)}`;
  if (bytes) {
    const headers = { 'content-type': 'image/png', ...bearer(token) };
    return ask(who, url, { method: 'POST', headers, body: new Uint8Array(bytes) });
  }
  return ask(who, url, body === undefined ? { headers: bearer(token) } : asJson(token, body));
}

/** A picture that is one by its first bytes, with something written in it. */
function pictureOf(text: string): Buffer {
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const parts = [
    ['IHDR', Buffer.from([0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0])],
    ['tEXt', Buffer.from(`Comment\0${text}`)],
    ['IDAT', Buffer.alloc(10)],
  ] as const;
  const chunks = parts.map(([type, data]) => {
    const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    checksum.writeUInt32BE(crc32(Buffer.concat([Buffer.from(type), data])));
    return Buffer.concat([length, Buffer.from(type), data, checksum]);
  });
  return Buffer.concat([signature, ...chunks]);
}

/** Writes a post in which everything is a canary. */
async function write(
  who: Person,
  boundary: 'swordsmith' | 'aekea',
  { readers, more = {} }: { readers: Person[]; more?: Record<string, unknown> },
): Promise<{ uri: string; cid: string }> {
  const make = (what: string) => {
    const canary = canaries.make(`${what} of a post in ${boundary}`);
    for (const reader of [who, ...readers]) reader.mayKnow.add(canary);
    return canary.secret;
  };
  const bytes = pictureOf(make('the picture'));
  const uploaded = await askNode(who, com.atproto.repo.uploadBlob.$lxm, { bytes });
  const { blob } = (await uploaded.json()) as { blob: unknown };
  const record = {
    $type: POST,
    text: `“${make('the text')}” \\ and "more" <b>`,
    facets: [
      {
        index: { byteStart: 0, byteEnd: 5 },
        features: [{ $type: 'app.bsky.richtext.facet#tag', tag: make('the tag') }],
      },
    ],
    embed: { $type: 'app.bsky.embed.images', images: [{ alt: make('the alt text'), image: blob }] },
    boundary: {
      $type: zone.stratos.boundary.defs.Domains.$type,
      values: [{ value: network.boundary(boundary) }],
    },
    langs: ['en'],
    createdAt: new Date().toISOString(),
    ...more,
  };
  const { did } = network.account(who.handle);
  const body = { repo: did, collection: POST, record };
  const written = await askNode(who, com.atproto.repo.createRecord.$lxm, { body });
  if (!written.ok) throw new Error(`not written: ${await written.text()}`);
  return (await written.json()) as { uri: string; cid: string };
}

/** Every question at every door, as everybody. */
async function askEverything(): Promise<void> {
  const { did, handle } = network.account(author.handle);
  const boundary = network.boundary('swordsmith');
  const questions: Question[] = [
    ...(['viewer', 'boundaries'] as const).map((operation) => ({ operation })),
    { operation: 'timeline', limit: 50 },
    { operation: 'timeline', boundary, limit: 1 },
    ...[did, handle].map((actor): Question => ({ operation: 'actor', actor })),
    { operation: 'authorFeed', actor: did },
    { operation: 'search', text: 'more' },
    { operation: 'post', uri },
    { operation: 'posts', uris: [uri, uri.replace(/\w$/, 'z')] },
    { operation: 'thread', uri },
    { operation: 'replies', uri },
    { operation: 'boundary', boundary },
    { operation: 'node', did: node.did },
    // What nobody can ask.
    { operation: 'post', uri: 'at://nonsense' },
    { operation: 'timeline', cursor: 'nonsense' },
    { operation: 'timeline', limit: 1000 },
    { operation: 'search', text: 'x'.repeat(1000) },
  ];
  for (const who of everybody) {
    for (const door of SURFACES) {
      for (const question of questions) {
        const { status, headers, body } = await door.ask(gateway, who.token, question);
        const source = `what ${who.handle} was told of ${question.operation} over ${door.name} (${status})`;
        evidence.add(source, JSON.stringify(headers) + body, who.mayKnow);
      }
    }
  }
}

it('tells nobody over any door what they may not know', async () => {
  const first = await write(author, 'swordsmith', { readers: [member] });
  uri = first.uri;
  await write(outsider, 'aekea', { readers: [] });
  await write(member, 'swordsmith', {
    readers: [author],
    more: { reply: { root: first, parent: first } },
  });
  const [door] = SURFACES;
  await eventually(async () => {
    const answer = await door?.ask(gateway, member.token, { operation: 'thread', uri });
    expect(answer?.body).toContain('canary');
    expect(canaries.in(answer?.body ?? '').length).toBeGreaterThan(3);
  });
  await askEverything();
  const [cid] = (await pictures(member)) ?? [];
  expect(cid).toBeDefined();
  for (const who of everybody) await ask(who, `${gateway}${cid}`, { headers: bearer(who.token) });
});

/** Where the gateway has the pictures of the post. */
async function pictures(who: Person): Promise<string[] | undefined> {
  const query = `{ post(uri: "${uri}") { images { blob { path } } } }`;
  const response = await ask(who, `${gateway}/graphql`, asJson(who.token, { query }));
  const { data } = (await response.json()) as {
    data: { post: { images: { blob: { path: string } }[] } | null };
  };
  return data.post?.images.map(({ blob }) => blob.path);
}

it('does not repeat what somebody asks wrongly to anybody else', async () => {
  for (const who of everybody) {
    const mine = (what: string) => {
      const canary = canaries.make(`${what} of ${who.handle}`);
      who.mayKnow.add(canary);
      return canary.secret;
    };
    const queries = [
      { query: `{ ${mine('a field')} }` },
      { query: `{ search(text: "${mine('what is searched')}") { edges { cursor } } }` },
      {
        query: `query ($a: AtUri!) { post(uri: $a) { uri } }`,
        variables: { a: mine('a variable') },
      },
      { query: `{{{ ${mine('a typing error')}` },
    ];
    for (const body of queries) await ask(who, `${gateway}/graphql`, asJson(who.token, body));
    const input = encodeURIComponent(JSON.stringify({ text: mine('a search'), limit: 'x' }));
    for (const path of [
      `/trpc/search?input=${input}`,
      `/trpc/${mine('a procedure')}`,
      `/xrpc/${zone.stratos.feed.searchPosts.$nsid}?q=${mine('a question')}`,
      `/xrpc/${zone.stratos.feed.getPost.$nsid}?uri=${mine('an address')}`,
      `/blob/a/b/c/${mine('a file')}`,
      `/${mine('a path')}?code=${mine('a parameter')}`,
      `/oauth/callback?code=${mine('a code')}&state=${mine('a state')}`,
      `/oauth/login?handle=${mine('a handle')}`,
    ]) {
      await ask(who, gateway + path, { headers: bearer(who.token), redirect: 'manual' });
    }
    const text = mine('a body that is no JSON');
    const headers = { 'content-type': 'application/json', ...bearer(who.token) };
    for (const path of ['/graphql', '/trpc/post', `/xrpc/${zone.stratos.gateway.graphql.$lxm}`]) {
      await ask(who, gateway + path, { method: 'POST', headers, body: `{"${text}` });
    }
    const wrong = mine('a wrong token');
    for (const scheme of ['Bearer', 'DPoP', 'Basic', wrong]) {
      const authorization = `${scheme} ${wrong}`;
      const dpop = mine('a wrong proof');
      for (const path of ['/trpc/viewer', '/metrics', `/xrpc/${CREATE_SESSION}`]) {
        await ask(who, gateway + path, { headers: { authorization, dpop, cookie: `a=${wrong}` } });
      }
      await ask(who, `${node.url}/metrics`, { headers: { authorization } });
      await ask(who, `${network.topology.indexerUrl}/metrics`, { headers: { authorization } });
    }
    const record = { $type: POST, text: mine('a record that is none'), boundary: 7 };
    const { did } = network.account(who.token ? who.handle : author.handle);
    const body = { repo: did, collection: POST, record };
    await askNode(who, com.atproto.repo.createRecord.$lxm, { body });
  }
});

it('keeps proofs, cookies and what people sign in with to itself', async () => {
  const key = new DpopKey();
  const url = `${gateway}/xrpc/${CREATE_SESSION}`;
  const proofOf = (claims: Parameters<DpopKey['proof']>[0]) => {
    const proof = key.proof(claims);
    canaries.watch('a DPoP proof', signatureOf(proof));
    return proof;
  };
  const token = await serviceAuth(member.handle, network.topology.gateway.did, CREATE_SESSION);
  let nonce: string | undefined;
  let bound = '';
  for (let round = 0; round < 2; round++) {
    const headers = { ...bearer(token), dpop: proofOf({ htm: 'POST', htu: url, nonce }) };
    // @NOTE not by `ask`: who makes a session is told it
    const response = await fetch(url, { method: 'POST', headers });
    nonce = response.headers.get('dpop-nonce') ?? undefined;
    if (response.ok) bound = ((await response.json()) as { token: string }).token;
  }
  canaries.watch('a bound session', signatureOf(bound));
  const htu = `${gateway}/xrpc/${zone.stratos.gateway.getViewer.$nsid}`;
  const good = proofOf({ htm: 'GET', htu, nonce: nonce ?? '', ath: tokenHash(bound) });
  for (const status of [200, 401]) {
    const headers = { authorization: `DPoP ${bound}`, dpop: good };
    expect((await ask(member, htu, { headers })).status).toBe(status);
  }

  const browser = new Browser();
  const home = new URL(gateway);
  home.hostname = '127.0.0.1';
  const { handle, password } = network.account(member.handle);
  const begun = await browser.navigate(
    `${gateway}/oauth/login?handle=${handle}&returnTo=/graphiql`,
  );
  canaries.watch('the cookie of a flow', browser.cookie(home, 'stratos-sign-in') ?? '');
  const arrived = await signInAndConsent(browser, begun.url, { username: handle, password });
  expect(arrived.status).toBe(200);
  evidence.add('the page after signing in', arrived.body);
  canaries.watch('the cookie of a session', browser.cookie(home, 'stratos-session') ?? '');
  const asked = await browser.postJson(home, '/graphql', { query: '{ viewer { did } }' });
  expect(asked.body).toContain(network.account(handle).did);
  evidence.add('an answer to a page', JSON.stringify(asked.headers) + asked.body);
  const left = await browser.postJson(home, '/oauth/logout', {});
  evidence.add('an answer to who signs out', JSON.stringify(left.headers) + left.body);
});

it('lets nobody have of a node what is not theirs', async () => {
  const { did } = network.account(author.handle);
  const [, , , , rkey = ''] = uri.split('/');
  const own = { did, repo: did, collection: POST, rkey, uri };
  const cid = (await pictures(member))?.[0]?.split('/').at(-1) ?? '';
  for (const who of everybody) {
    for (const [lxm, params] of [
      [com.atproto.repo.getRecord.$lxm, own],
      [com.atproto.repo.listRecords.$lxm, own],
      [com.atproto.repo.describeRepo.$lxm, own],
      [com.atproto.sync.getRecord.$lxm, own],
      [com.atproto.sync.getBlob.$lxm, { did, cid }],
      [com.atproto.sync.listBlobs.$lxm, own],
      [zone.stratos.sync.getRepo.$lxm, own],
      [zone.stratos.repo.hydrateRecord.$lxm, own],
      [zone.stratos.enrollment.status.$lxm, own],
      [zone.stratos.admin.listEnrollments.$lxm, {}],
    ] as const) {
      await askNode(who, lxm, { params });
    }
    const body = { uris: [uri] };
    await askNode(who, zone.stratos.repo.hydrateRecords.$lxm, { body });
    if (who.handle === author.handle) continue;
    const taken = { repo: did, collection: POST, rkey, record: { $type: POST, text: 'mine' } };
    await askNode(who, com.atproto.repo.putRecord.$lxm, { body: taken });
    await askNode(who, com.atproto.repo.deleteRecord.$lxm, { body: taken });
  }
});

it('streams to nobody what they may not know', async () => {
  const stop = new AbortController();
  const sockets = everybody.map((who) => {
    const address = `${gateway.replace('http', 'ws')}/xrpc/${zone.stratos.feed.subscribePosts.$nsid}`;
    const socket = new WebSocket(address, { headers: bearer(who.token) });
    socket.on('message', (data: Buffer) => {
      evidence.add(`an event that ${who.handle} was sent`, data.toString('latin1'), who.mayKnow);
    });
    return socket;
  });
  await Promise.all(sockets.map((socket) => once(socket, 'message')));
  const reading = everybody.map(async (who) => {
    const { headers, ...init } = asJson(who.token, { query: LIVE_QUERY });
    const accept = { ...headers, accept: 'text/event-stream' };
    const response = await fetch(`${gateway}/graphql`, {
      ...init,
      headers: accept,
      signal: stop.signal,
    });
    let text = '';
    try {
      for await (const bytes of response.body ?? []) text += Buffer.from(bytes).toString();
    } catch {
      // It was stopped.
    }
    evidence.add(`the stream of ${who.handle}`, text, who.mayKnow);
    return text;
  });
  await sleep(500);
  const { uri: gone } = await write(author, 'swordsmith', { readers: [member] });
  await write(outsider, 'aekea', { readers: [] });
  await sleep(1500);
  const body = {
    repo: network.account(author.handle).did,
    collection: POST,
    rkey: gone.split('/').at(-1),
  };
  await askNode(author, com.atproto.repo.deleteRecord.$lxm, { body });
  await sleep(1000);
  stop.abort();
  for (const socket of sockets) socket.terminate();
  const [ofMember = '', , ofOutsider = ''] = await Promise.all(reading);
  expect(canaries.in(ofMember).length).toBeGreaterThan(0);
  expect(canaries.in(ofOutsider).length).toBeGreaterThan(0);
});

it('says nothing when things go wrong', async () => {
  await network.service('indexer').kill('SIGTERM');
  await write(author, 'swordsmith', { readers: [member] });
  await network.service('swordsmith').stop();
  const [path = ''] = (await pictures(member)) ?? [];
  for (const who of everybody) await ask(who, gateway + path, { headers: bearer(who.token) });
  expect(await spoilNewest()).toBeGreaterThan(0);
  await network.service('swordsmith').start();
  await network.service('indexer').start();
  await eventually(async () => {
    expect(await quarantined()).toBeGreaterThan(0);
  }, 30_000);
  await withDatabase('postgres', async (database) => {
    await database.query('alter database appview allow_connections false');
    await database.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = 'appview'`,
    );
    await askEverything();
    await database.query('alter database appview allow_connections true');
  });
  await eventually(async () => {
    expect((await fetch(`${gateway}/ready`)).status).toBe(200);
    expect((await fetch(`${network.topology.indexerUrl}/ready`)).status).toBe(200);
  }, 30_000);
});

/** Changes what the node has to say of a post that nobody has heard of yet, so that nobody can believe it. */
async function spoilNewest(): Promise<number> {
  let spoiled = 0;
  for await (const path of glob(`${network.dataDir}/nodes/swordsmith/**/*.sqlite`)) {
    const database = new Database(path);
    try {
      const isOfActor = database
        .prepare("select 1 from sqlite_master where name = 'stratos_repo_block'")
        .get();
      if (isOfActor) spoiled += spoilBlock(database);
    } finally {
      database.close();
    }
  }
  return spoiled;
}

function spoilBlock(database: Database.Database): number {
  const [block] = database
    .prepare<[], { cid: string; content: Buffer }>(
      'select cid, content from stratos_repo_block order by "repoRev" desc',
    )
    .all()
    .filter(({ content }) => content.includes('“canary'));
  if (!block) return 0;
  block.content.write('“kanary', block.content.indexOf('“canary'));
  return database
    .prepare('update stratos_repo_block set content = ? where cid = ?')
    .run(block.content, block.cid).changes;
}

async function quarantined(): Promise<number> {
  return withDatabase('appview', async (database) => {
    const { rows } = await database.query('select count(*)::int as count from stratos_quarantine');
    return rows[0].count;
  });
}

async function withDatabase<T>(name: string, use: (database: Client) => Promise<T>): Promise<T> {
  const url = new URL(network.databaseUrl);
  url.pathname = name;
  const database = new Client(url.href);
  await database.connect();
  try {
    return await use(database);
  } finally {
    await database.end();
  }
}

it(
  'says nothing to operators, either',
  async () => {
    const database = { DATABASE_URL: network.databaseUrl };
    const [admin, indexer, explain] = [
      'stratos-node/src/cli/main.ts',
      'indexer/src/cli/main.ts',
      'gateway/src/cli/main.ts',
    ];
    const ofNode = { STRATOS_PUBLIC_URL: node.url, STRATOS_ADMIN_PASSWORD: operator.secret };
    const { did } = network.account(author.handle);
    const commands: [string, string[], Record<string, string>][] = [
      ...[author, outsider].map(({ handle }): [string, string[], Record<string, string>] => [
        explain,
        ['explain', '--uri', uri, '--viewer', network.account(handle).did],
        database,
      ]),
      [explain, ['explain', '--uri', 'at://nonsense', '--viewer', did], database],
      [
        explain,
        ['explain', '--uri', uri, '--viewer', did],
        { DATABASE_URL: `${network.databaseUrl}x` },
      ],
      [indexer, ['status'], database],
      [indexer, ['quarantine', 'list'], database],
      [indexer, ['quarantine', 'show', '1'], database],
      [admin, ['status'], ofNode],
      [admin, ['audit'], ofNode],
      [admin, ['enrollment', did], ofNode],
      [admin, ['outbox'], ofNode],
      [admin, ['status'], { ...ofNode, STRATOS_ADMIN_PASSWORD: 'wrong password' }],
    ];
    const run = async ([main, args, env]: (typeof commands)[number]) => {
      const said = await new Promise<string>((resolve) => {
        execFile(process.execPath, [join(PROJECT, main), ...args], { env }, (_error, ...output) =>
          resolve(output.join('\n')),
        );
      });
      expect(said.length).toBeGreaterThan(10);
      evidence.add(`what '${main} ${args[0]} ${args[1] ?? ''}' prints`, said);
    };
    await Promise.all(commands.map(run));
    const authorization = `Bearer ${operator.secret}`;
    const { indexerUrl } = network.topology;
    for (const url of [gateway, node.url, indexerUrl]) {
      for (const path of ['/health', '/ready', '/status', '/metrics', '/']) {
        await ask(stranger, url + path);
        await ask(stranger, url + path, { headers: { authorization } });
      }
    }
  },
  SLOW_MS,
);

it(
  'finds what a gateway tells its log that should not',
  async () => {
    await using copy = await PrivateCopy.make([
      'lexicons',
      'protocol',
      'prisma',
      'schema',
      'gateway',
    ]);
    const honest = 'const values = boundaries.map((value) => ({ value }));';
    const leaking = `console.log(Buffer.from(JSON.stringify(record)).toString('base64'));${honest}`;
    await copy.edit(['gateway/src/access/present.ts', honest, leaking]);
    const { gateway: port } = await freePorts();
    const env = { ...network.service('gateway').env, GATEWAY_PORT: String(port) };
    const leaky = spawn(process.execPath, [copy.path('gateway/src/main.ts')], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const log = readText(leaky.stdout);
    const url = `http://localhost:${port}`;
    await eventually(async () => expect((await fetch(`${url}/ready`)).status).toBe(200), 120_000);
    await SURFACES[0]?.ask(url, member.token, { operation: 'post', uri });
    leaky.kill('SIGTERM');
    const planted = new Evidence(canaries);
    planted.add('the log', await log);
    expect(planted.leaks()).toContain('the text of a post in swordsmith in the log');
  },
  SLOW_MS,
);

it('has told nobody anything, nor any log, metric or trace', async () => {
  for (const name of OURS) await network.service(name).stop();
  for (const name of OURS) {
    const log = await readFile(network.service(name).logFile, 'utf8');
    expect(log.length).toBeGreaterThan(100);
    evidence.add(`the log of ${name}`, log);
  }
  for (const name of ['stratos-gateway', 'stratos-indexer', 'stratos-node']) {
    expect([name, traces.hasHeardOf(name)]).toEqual([name, true]);
  }
  for (const text of traces.received) evidence.add('a trace', text);
  expect(evidence.leaks()).toEqual([]);
  expect(evidence.size).toBeGreaterThan(400);
  expect(canaries.size).toBeGreaterThan(100);
});
