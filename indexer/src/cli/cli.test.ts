import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { toDid } from '@stratos/protocol';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { recordRefusals } from '../applying/refusal.ts';
import { inTransaction } from '../database.ts';
import { Author } from '../testing/author.ts';
import { World } from '../testing/world.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const REI = toDid('did:plc:aaaaaaaaaaaaaaaaaaaaaaaa');
const SAKURA = toDid('did:plc:bbbbbbbbbbbbbbbbbbbbbbbb');
const FIREHOSE = 'wss://relay.example';

let world: World;
let rei: Author;
let NODE_COMPILE_CACHE: string;

beforeAll(async () => {
  NODE_COMPILE_CACHE = await mkdtemp(join(tmpdir(), 'stratos-cli-cache-'));
});
afterAll(() => rm(NODE_COMPILE_CACHE, { recursive: true }));

beforeEach(async () => {
  world = await World.create();
  rei = await Author.create(REI);
  await world.enroll(rei);
  await world.apply(await world.node.membership(rei, ['art']));
  await world.apply(world.node.commit(await rei.post('3kaaa', [world.node.boundary('art')])));
});
afterEach(() => world[Symbol.asyncDispose]());

async function indexer(args: string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [MAIN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { DATABASE_URL: world.url, STRATOS_DEV_MODE: 'true', NODE_COMPILE_CACHE, ...env },
  });
  const [out, err, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { out, err, code };
}

async function indexerJson(args: string[]) {
  const { out, err, code } = await indexer([...args, '--json']);
  expect([err, code]).toEqual(['', 0]);
  return JSON.parse(out);
}

/** Something that was refused, of each kind. */
async function refuse(): Promise<void> {
  await inTransaction(world.db, async (tx) => {
    await recordRefusals(tx, world.node.did, [
      { did: REI, uri: rei.uri('3kbbb'), streamSeq: 7, reason: 'boundary-not-held' },
      { did: SAKURA, streamSeq: 8, reason: 'not-a-member' },
      { streamSeq: 9, reason: 'membership:broken-chain' },
    ]);
    await recordRefusals(tx, FIREHOSE, [{ did: REI, streamSeq: 3, reason: 'unproven' }]);
  });
}

// @NOTE each command is a process of its own, which takes its time on a busy machine
describe('stratos-indexer', { timeout: 180_000 }, () => {
  it('says where it is in each source, and what waits', async () => {
    await refuse();
    await world.db.syncCursor.create({ data: { source: FIREHOSE, seq: 5 } });
    await world.db.follower.create({
      data: { id: 'first/x', aliveUntil: new Date(Date.now() + 60_000) },
    });
    const followed = { follower: 'first/x', newestSeq: 9, rolledBackAt: new Date(0) };
    await world.db.node.updateMany({ data: followed });
    const { out, code } = await indexer(['status']);
    expect(code).toBe(0);
    expect(out).toContain('rolled back since 1970-01-01T00:00:00.000Z, followed by first, hidden');
    expect(out).toMatch(/wss:\/\/relay\.example .* nobody follows it .* 5 /);
    expect(out).toMatch(/^quarantine +4 refused$/m);
    expect(await indexerJson(['status'])).toMatchObject({
      indexers: ['first/x'],
      nodes: [{ did: world.node.did, position: 2, newest: 9, lag: 7, members: 1, quarantined: 3 }],
      queues: { resyncs: 0, quarantined: 4 },
    });
  });

  it('lists and shows what was refused, and never content', async () => {
    await refuse();
    const { out } = await indexer(['quarantine', 'list']);
    expect(out).toMatch(/did:plc:a+ .* boundary-not-held/);
    expect(out).toContain(FIREHOSE);
    const ofRei = await indexerJson(['quarantine', 'list', '--actor', REI, '--node', FIREHOSE]);
    expect(ofRei).toMatchObject([{ reason: 'unproven', streamSeq: 3, retriedAt: null }]);
    const shown = await indexer(['quarantine', 'show', String(ofRei[0].id)]);
    expect(shown.out).toMatch(/^reason +unproven: what a PDS sent is not signed by the account$/m);
    expect((await indexer(['quarantine', 'list', '--limit', '1'])).out).toMatch(/^3 more/m);
    expect(await indexer(['quarantine', 'show', '999'])).toEqual({
      ...{ out: '', code: 1 },
      err: 'stratos-indexer: there is no refusal with the number 999\n',
    });
  });

  it('asks anew for what was refused, and notes that it did', async () => {
    await refuse();
    const outcomes = await indexerJson(['quarantine', 'retry', '--node', world.node.did]);
    expect(outcomes.map(({ outcome }: { outcome: string }) => outcome).sort()).toEqual([
      'node',
      'not-a-member',
      'repo',
    ]);
    expect(await world.db.resync.findMany()).toMatchObject([{ did: REI, reason: 'operator' }]);
    const [{ id }] = await indexerJson(['quarantine', 'list', '--node', FIREHOSE]);
    const dueAt = new Date(Date.now() + 600_000);
    await world.db.pdsResync.create({ data: { did: REI, reason: 'sync', failures: 9, dueAt } });
    expect((await indexer(['quarantine', 'retry', String(id)])).out).toContain(
      'the public records are read anew',
    );
    const [asked] = await world.db.pdsResync.findMany();
    expect(asked).toMatchObject({ did: REI, reason: 'operator', failures: 0 });
    expect(asked?.dueAt.getTime()).toBeLessThanOrEqual(Date.now());
    const retried = await world.db.quarantined.findMany({ where: { retriedAt: { not: null } } });
    expect(retried.map(({ reason }) => reason).sort()).toEqual(['boundary-not-held', 'unproven']);
    expect(await world.readable()).toEqual(['3kaaa art']);
    expect((await indexer(['quarantine', 'retry'])).err).toMatch(/which\? Give numbers/);
  });

  it('has repos be fetched anew, and watches while that is done', async () => {
    expect(await indexerJson(['reindex', '--no-wait', '--actor', SAKURA])).toMatchObject({
      repos: 0,
    });
    expect((await indexer(['reindex'])).err).toBe(
      'stratos-indexer: they are asked for; but no indexer is running that would fetch them\n',
    );
    expect(await world.db.resync.count()).toBe(1);
    expect(await world.readable()).toEqual(['3kaaa art']);
    await world.db.follower.create({
      data: { id: 'first', aliveUntil: new Date(Date.now() + 60_000) },
    });
    const watching = indexer(['reindex', '--node', world.node.did]);
    await vi.waitFor(async () => expect((await world.db.resync.findFirst())?.asked).toBe(2), {
      timeout: 60_000,
    });
    await world.db.resync.deleteMany();
    expect(await watching).toEqual({ out: '1 repos fetched\n', err: '', code: 0 });

    const failing = indexer(['reindex']);
    await vi.waitFor(
      async () => {
        const { count } = await world.db.resync.updateMany({ data: { failures: 1 } });
        expect(count).toBe(1);
      },
      { timeout: 60_000 },
    );
    expect(await failing).toEqual({ out: '0 of 1 repos fetched; 1 fail\n', err: '', code: 1 });
  });

  it('asks before it takes a node anew', async () => {
    const args = ['accept-restored', world.node.did];
    const refused = await indexer(args);
    expect([refused.err, refused.code]).toEqual([
      'stratos-indexer: nobody can be asked here: give --yes\n',
      1,
    ]);
    expect(await world.readable()).toEqual(['3kaaa art']);
    expect(await indexerJson([...args, '--yes'])).toEqual({ node: world.node.did, people: 1 });
    expect(await world.readable()).toEqual([]);
    const unknown = await indexer(['accept-restored', 'did:web:nowhere.example', '--yes']);
    expect(unknown.err).toBe('stratos-indexer: did:web:nowhere.example is not known here\n');
  });

  it('recomputes what is stored, and lists what is wrong', async () => {
    expect(await indexerJson(['verify'])).toEqual({
      ...{ people: 1, posts: 1, found: 0, flaws: [], offline: false },
    });
    await world.db.post.updateMany({ data: { text: 'forged' } });
    const { out, code } = await indexer(['verify', '--sample', '1', '--offline']);
    expect(code).toBe(1);
    expect(out).toMatch(/3kaaa .* wrong-columns/);
    expect(out).toMatch(/^not checked +the signatures of nodes$/m);
    expect(out).not.toContain('forged');
  });

  it('removes what need not be kept, and says before what that is', async () => {
    await world.db.change.updateMany({ data: { at: new Date(0) } });
    const changes = await world.db.change.count();
    expect(await indexerJson(['prune', '--dry-run'])).toMatchObject({ dryRun: true, changes });
    expect(await world.db.change.count()).toBe(changes);
    const { out, code } = await indexer(['prune']);
    expect([out.match(/^changes +(\d+)$/m)?.[1], code]).toEqual([String(changes), 0]);
    expect(await world.db.change.count()).toBe(0);
  });

  it('says in one line what is wrong, and never the password', async () => {
    expect((await indexer(['status'], { DATABASE_URL: '' })).err).toBe(
      'stratos-indexer: DATABASE_URL: is required\n',
    );
    const dead = 'postgresql://stratos:hunter2@127.0.0.1:1/appview';
    expect((await indexer(['status'], { DATABASE_URL: dead })).err).toBe(
      'stratos-indexer: the database does not answer\n',
    );
    const other = world.url.replace(/[^/]+$/, 'postgres');
    expect((await indexer(['status'], { DATABASE_URL: other })).err).toMatch(
      /not of this version: start the indexer/,
    );
    expect((await indexer(['nonsense'])).code).toBe(2);
    expect((await indexer(['reindex', '--node', 'somewhere'])).code).toBe(2);
    expect((await indexer(['--help'])).code).toBe(0);
  });
});
