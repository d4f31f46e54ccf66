import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { readCarWithRoot } from '@atproto/repo';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  ADMIN_PASSWORD,
  AEKEA,
  NODE_DID,
  postRecord,
  SWORDSMITH,
  TestNode,
  TestPerson,
} from '../testing/test-node.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

const rei = TestPerson.named('rei');
const sakura = TestPerson.named('sakura');
let node: TestNode;
let folder: string;
let NODE_COMPILE_CACHE: string;

beforeAll(async () => {
  NODE_COMPILE_CACHE = await mkdtemp(join(tmpdir(), 'stratos-cli-cache-'));
});
afterAll(() => rm(NODE_COMPILE_CACHE, { recursive: true }));

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stratos-cli-'));
  node = await TestNode.start({ people: [rei, sakura] });
  await node.enroll(rei, [SWORDSMITH]);
  await node.enroll(sakura, [SWORDSMITH, AEKEA]);
});
afterEach(async () => {
  await node[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function admin(args: string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [MAIN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      STRATOS_PUBLIC_URL: node.url,
      STRATOS_ADMIN_PASSWORD: ADMIN_PASSWORD,
      NODE_COMPILE_CACHE,
      ...env,
    },
  });
  const [out, err, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { out, err, code };
}

async function adminJson(args: string[]) {
  const { out, err, code } = await admin([...args, '--json']);
  expect([err, code]).toEqual(['', 0]);
  return JSON.parse(out);
}

async function exported(dataDir: string, did: string) {
  const child = spawn(process.execPath, [MAIN, 'export', did, '--data-dir', dataDir], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {},
  });
  const [car, err] = await Promise.all([buffer(child.stdout), text(child.stderr)]);
  return { car, err };
}

// @NOTE each command is a process of its own, which takes its time on a busy machine
describe('stratos-admin', { timeout: 180_000 }, () => {
  it('tells how the node is', async () => {
    expect((await admin(['status'])).out).toMatch(/^people +2 enrolled, 0 left$/m);
    expect(await adminJson(['status'])).toMatchObject({ did: NODE_DID, enrolled: 2 });
  });

  it('changes what somebody is a member of, by bare or whole names', async () => {
    const boundaries = async () => (await adminJson(['enrollment', rei.did])).boundaries;
    await adminJson(['boundary', 'add', rei.did, 'aekea']);
    expect(await boundaries()).toEqual([AEKEA, SWORDSMITH]);
    await adminJson(['boundary', 'remove', rei.did, 'aekea', SWORDSMITH]);
    expect(await boundaries()).toEqual([]);
    await adminJson(['boundary', 'set', rei.did, SWORDSMITH]);
    expect(await boundaries()).toEqual([SWORDSMITH]);
    const { err, code } = await admin(['boundary', 'add', rei.did, 'nowhere']);
    expect([err, code]).toEqual([
      'stratos-admin: InvalidBoundary: Not a boundary of this node\n',
      1,
    ]);
  });

  it('lists people, the outbox and what operators did', async () => {
    await admin(['unenroll', sakura.did, '--yes']);
    const dids = async (...args: string[]) =>
      (await adminJson(['enrollments', ...args])).map(({ did }: { did: string }) => did);
    expect(await dids()).toEqual([rei.did, sakura.did]);
    expect(await dids('--active')).toEqual([rei.did]);
    expect(await dids('--left')).toEqual([sakura.did]);
    expect((await admin(['enrollments'])).out).toContain('swordsmith');
    await expect
      .poll(async () => (await adminJson(['outbox', '--parked'])).length, { timeout: 20_000 })
      .toBeGreaterThan(0);
    expect((await admin(['outbox', '--did', rei.did])).out).toMatch(
      /enrollment.*no PDS in this test/,
    );
    expect(await adminJson(['outbox', 'requeue', '--did', rei.did])).toEqual({ requeued: 1 });
    const [requeued, unenrolled] = await adminJson(['audit']);
    expect(requeued).toMatchObject({ did: rei.did, outcome: 'done' });
    expect(unenrolled).toMatchObject({ did: sakura.did, outcome: 'done' });
    expect((await admin(['enrollment', 'did:plc:nobody'])).code).toBe(1);
  });

  it('asks before it ends an enrollment, and does nothing where nobody can answer', async () => {
    const { err, code } = await admin(['unenroll', rei.did]);
    expect([err, code]).toEqual(['stratos-admin: nobody can be asked here: give --yes\n', 1]);
    expect((await adminJson(['enrollment', rei.did])).active).toBe(true);
  });

  it('exports the log of memberships, and finds out when it was changed', async () => {
    const { out } = await admin(['log', 'export']);
    const file = join(folder, 'log.jsonl');
    await writeFile(file, out);
    expect(await adminJson(['log', 'verify', file])).toMatchObject({
      service: NODE_DID,
      enrolled: 2,
    });
    expect(await adminJson(['log', 'verify'])).toEqual(await adminJson(['log', 'verify', file]));
    const lines = out.trimEnd().split('\n');
    const line = JSON.parse(lines[0] ?? '');
    const bytes = Buffer.from(line.entry.$bytes, 'base64');
    bytes[bytes.length - 10] = (bytes.at(-10) ?? 0) ^ 1;
    line.entry.$bytes = bytes.toString('base64');
    for (const forged of [lines.toReversed(), lines.slice(1), [JSON.stringify(line), lines[1]]]) {
      await writeFile(file, forged.join('\n'));
      const { err, code } = await admin(['log', 'verify', file]);
      expect(code).toBe(1);
      expect(err).toMatch(/^stratos-admin: entry 1: [^\n]+\n$/);
    }
    await writeFile(file, '{}');
    expect((await admin(['log', 'verify', file])).err).toMatch(
      /log\.jsonl:1 is no entry of a log\n$/,
    );
  });

  it('says in one line what is wrong, and never the password', async () => {
    const wrong = await admin(['status'], { STRATOS_ADMIN_PASSWORD: 'not the password' });
    expect(wrong).toEqual({
      out: '',
      err: 'stratos-admin: the node does not take this password\n',
      code: 1,
    });
    const dead = await admin(['status', '--url', 'http://localhost:1']);
    expect([dead.err, dead.code]).toEqual([
      'stratos-admin: http://localhost:1 does not answer\n',
      1,
    ]);
    expect((await admin(['status'], { STRATOS_ADMIN_PASSWORD: '' })).err).toBe(
      'stratos-admin: STRATOS_ADMIN_PASSWORD is not set\n',
    );
    expect((await admin(['status', '--url', 'http://node.example.com'])).err).toMatch(/over https/);
    expect((await admin(['nonsense'])).code).toBe(2);
    expect((await admin(['--help'])).code).toBe(0);
  });

  it('takes down and puts back, and rotates the key', async () => {
    const { uri } = await node.createPost(rei, postRecord('words'));
    expect(await adminJson(['takedown', uri, '--reason', 'spam'])).toEqual({ applied: true });
    expect(await adminJson(['takedown', uri, '--undo'])).toEqual({ applied: false });
    expect((await admin(['takedown', rei.did])).out).toBe(`${rei.did} is taken down\n`);
    expect((await admin(['takedown', uri, '--blob', 'bafy'])).err).toMatch(
      /--blob goes with a DID\n$/,
    );
    expect((await admin(['takedown', `${uri}x`])).err).toMatch(
      /^stratos-admin: NotFound: [^\n]+\n$/,
    );
    expect((await admin(['rotate-key'])).err).toMatch(/nobody can be asked here/);
    expect(await adminJson(['rotate-key', '--yes'])).toMatchObject({
      key: expect.stringMatching(/^did:key:zQ3/),
    });
    expect(await adminJson(['log', 'verify'])).toMatchObject({ service: NODE_DID });
  });

  it.skipIf(process.env['STRATOS_TEST_STORAGE'] === 'postgres')(
    'takes a copy of a data folder that holds, and finds damage in one that does not',
    async () => {
      await node.createPost(rei, postRecord('words'));
      const { dataDir } = node.ctx.config;
      const target = join(folder, 'copy');
      expect(await adminJson(['backup', target, '--data-dir', dataDir])).toMatchObject({
        actors: 2,
      });
      expect(JSON.parse(await readFile(join(target, 'backup.json'), 'utf8'))).toMatchObject({
        actors: 2,
      });
      expect(await adminJson(['verify', '--data-dir', target])).toEqual({
        repos: 2,
        records: 1,
        damage: [],
      });
      expect((await admin(['backup', target, '--data-dir', dataDir])).err).toMatch(
        /is not empty\n$/,
      );
      const { car, err } = await exported(target, rei.did);
      expect(err).toMatch(/B of did:plc:\w+\n$/);
      const { root, blocks } = await readCarWithRoot(car);
      expect(root.toString()).toBe(
        (await node.ctx.actors.read(rei.did, (actor) => actor.root()))?.cid,
      );
      expect(blocks.size).toBe(3);
      expect((await exported(target, 'did:plc:nobody')).err).toMatch(/there is no repo of/);
      expect((await admin(['verify', '--data-dir', folder])).code).toBe(1);
    },
  );
});
