import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NodeSavedSession } from '@atproto/oauth-client-node';
import { ConfigError } from '@stratos/protocol/environment';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { postRecord, SWORDSMITH, TestNode, TestPerson } from '../testing/test-node.ts';
import { isSealed, SealedError } from './vault.ts';

const rei = TestPerson.named('rei');
const sakura = TestPerson.named('sakura');
const people = [rei, sakura];
const SECRET = { STRATOS_KEY_ENCRYPTION_KEY: 'a secret that is only of this test' };
const REFRESH_TOKEN = 'refresh-token-that-nobody-may-find';

/** Whether people's keys lie in files at all. */
const isInFiles = process.env['STRATOS_TEST_STORAGE'] !== 'postgres';

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'stratos-'));
});
afterEach(() => rm(dataDir, { recursive: true }));

function start(env: Record<string, string> = {}): Promise<TestNode> {
  return TestNode.start({ people, dataDir, env });
}

/** Every secret that a node with two people has, in all the ways that it could be written. */
async function secretsOf(node: TestNode): Promise<Buffer[]> {
  const keys = await Promise.all(
    people.map(({ did }) =>
      node.ctx.actors.read(did, async (actor) => (await node.ctx.actorKeys.of(actor)).export()),
    ),
  );
  return [node.ctx.nodeKey.export(), ...keys]
    .map((key) => Buffer.from(key ?? []))
    .flatMap((key) => [
      key,
      ...(['hex', 'base64', 'base64url'] as const).map((as) => Buffer.from(key.toString(as))),
    ])
    .concat(Buffer.from(REFRESH_TOKEN));
}

async function contents(): Promise<Map<string, Buffer>> {
  const files = await readdir(dataDir, { recursive: true, withFileTypes: true });
  const paths = files
    .filter((file) => file.isFile())
    .map((file) => join(file.parentPath, file.name));
  return new Map(
    await Promise.all(paths.map(async (path) => [path, await readFile(path)] as const)),
  );
}

async function found(secrets: readonly Buffer[]): Promise<string[]> {
  const files = [...(await contents())];
  return files
    .filter(([, bytes]) => secrets.some((secret) => bytes.includes(secret)))
    .map(([path]) => path);
}

async function enrollAll(node: TestNode): Promise<void> {
  for (const person of people) await node.enroll(person, [SWORDSMITH]);
  const session = { tokenSet: { refresh_token: REFRESH_TOKEN } } as unknown as NodeSavedSession;
  await node.ctx.service.oauth.putSession(rei.did, session);
}

async function sealed(node: TestNode): Promise<void> {
  while ((await node.ctx.service.vault.sealedAt()) === undefined) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

it('leaves no key and no session readable in any file', async () => {
  let secrets: Buffer[];
  {
    await using node = await start(SECRET);
    await enrollAll(node);
    expect((await node.tryPost(rei, postRecord('sealed'))).status).toBe(200);
    secrets = await secretsOf(node);
  }
  expect(await found(secrets)).toEqual([]);
  await using node = await start(SECRET);
  expect(await secretsOf(node)).toEqual(secrets);
  expect(await node.ctx.service.oauth.session(rei.did)).toEqual({
    tokenSet: { refresh_token: REFRESH_TOKEN },
  });
  expect((await node.tryPost(rei, postRecord('again'))).status).toBe(200);
});

it('encrypts what was there before, and the node and its people stay who they are', async () => {
  let secrets: Buffer[];
  {
    await using node = await start();
    await enrollAll(node);
    secrets = await secretsOf(node);
  }
  expect(await found(secrets)).toHaveLength(isInFiles ? 4 : 1);
  const secretFile = join(dataDir, '..', `${dataDir.split('/').at(-1)}.secret`);
  await writeFile(secretFile, `${SECRET.STRATOS_KEY_ENCRYPTION_KEY}\n`);
  {
    await using node = await start({ STRATOS_KEY_ENCRYPTION_KEY_FILE: secretFile });
    await sealed(node);
    for (const { did } of people) {
      const stored = await node.ctx.actors.read(did, (actor) => actor.signingKey());
      expect(stored && isSealed(stored)).toBe(true);
    }
    const ofPeople = await found(secrets.slice(0, -1));
    expect(ofPeople.filter((path) => path.includes('actors'))).toEqual([]);
    expect(await secretsOf(node)).toEqual(secrets);
    expect((await node.tryPost(rei, postRecord('sealed'))).status).toBe(200);
  }
  await rm(secretFile);
  expect(await found(secrets)).toEqual([]);
});

it('does not start with another secret or none, and touches nothing', async () => {
  {
    await using node = await start(SECRET);
    await enrollAll(node);
  }
  const before = await contents();
  const wrong: Record<string, string>[] = [
    {},
    { STRATOS_KEY_ENCRYPTION_KEY: 'a secret that is another one' },
    { STRATOS_KEY_ENCRYPTION_KEY: 'short' },
    { STRATOS_KEY_ENCRYPTION_KEY_FILE: join(dataDir, 'missing') },
    { ...SECRET, STRATOS_KEY_ENCRYPTION_KEY_FILE: join(dataDir, 'signing_key') },
  ];
  for (const env of wrong) {
    await expect(start(env)).rejects.toThrow(ConfigError);
    await expect(start(env)).rejects.toThrow('STRATOS_KEY_ENCRYPTION_KEY');
  }
  const key = join(dataDir, 'signing_key');
  expect(await readFile(key)).toEqual(before.get(key));
  await using node = await start(SECRET);
  expect((await node.tryPost(rei, postRecord('still here'))).status).toBe(200);
});

it('takes the key of one person for no other', async () => {
  await using node = await start(SECRET);
  await enrollAll(node);
  const { actors, actorKeys } = node.ctx;
  const own = await actors.read(rei.did, (actor) => actor.signingKey());
  actorKeys.forget(sakura.did);
  const swapped = { did: sakura.did, signingKey: async () => own ?? new Uint8Array() };
  await expect(actorKeys.of(swapped)).rejects.toThrow(SealedError);
});

it('keeps its secrets from other users of the machine, also those that were open to them', async () => {
  {
    await using node = await start();
    await enrollAll(node);
  }
  const names = isInFiles ? ['signing_key', 'service.sqlite'] : ['signing_key'];
  const files = names.map((name) => join(dataDir, name));
  for (const file of files) await chmod(file, 0o644);
  await chmod(dataDir, 0o755);
  await using _ = await start();
  for (const file of [...files, dataDir]) expect((await stat(file)).mode & 0o077).toBe(0);
});
