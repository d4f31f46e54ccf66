import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Attestation,
  type DidKey,
  type NodeKeyPeriod,
  ProofError,
  SigningKey,
  signingKeysOf,
  toBoundary,
  toDid,
  verifyAttestation,
  verifyKeyHistory,
  verifyMembershipLog,
} from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { checkExportedLog } from '../enrollment/exported-log.ts';
import { appendMembership } from '../enrollment/membership.ts';
import { DpopClient } from '../testing/dpop-client.ts';
import { FakePds } from '../testing/fake-pds.ts';
import {
  ADMIN_PASSWORD,
  AEKEA,
  NODE_DID,
  SWORDSMITH,
  TestNode,
  TestPerson,
} from '../testing/test-node.ts';
import { NodeKeyFile } from './node-key-file.ts';
import { NodeKeys } from './node-keys.ts';
import { plainVault } from './vault.ts';

const ROTATE = zone.stratos.admin.rotateSigningKey.$nsid;
const rei = TestPerson.named('rei');
const sakura = TestPerson.named('sakura');
const people = [rei, sakura];
const HEX = { STRATOS_SIGNING_KEY_HEX: 'aa'.repeat(32) };
const SECRET = { STRATOS_KEY_ENCRYPTION_KEY: 'a secret that is only of this test' };

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'stratos-'));
});
afterEach(() => rm(dataDir, { recursive: true }));

const start = (env: Record<string, string> = {}) => TestNode.start({ people, dataDir, env });

async function rotated(node: TestNode): Promise<DidKey> {
  const response = await node.operator(ROTATE, {});
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  return (await response.json()).key;
}

/** What a stranger finds out about the node's keys. */
async function publishedKeys(
  node: TestNode,
): Promise<{ keys: DidKey[]; history: NodeKeyPeriod[] }> {
  const document = await (await fetch(`${node.url}/.well-known/did.json`)).json();
  const answer = await node.get(zone.stratos.identity.getKeyHistory.$nsid, {});
  const keys = signingKeysOf(document);
  const published = (await answer.json()).keys;
  return { keys, history: verifyKeyHistory(published, { did: NODE_DID, currentKeys: keys }) };
}

async function exportedLog(node: TestNode): Promise<Uint8Array[]> {
  return (await node.ctx.service.memberships.after(0, 1000)).map(({ entry }) => entry);
}

it('gives the node another key at once, and the log holds across the change', async () => {
  await using node = await start();
  await node.enroll(rei, [SWORDSMITH]);
  const first = node.ctx.nodeKey.did();
  const second = await rotated(node);
  expect(second).not.toBe(first);
  expect(node.ctx.nodeKey.did()).toBe(second);
  await node.enroll(sakura, [SWORDSMITH, AEKEA]);
  const third = await rotated(node);
  const fourth = await rotated(node);
  await node.operator(zone.stratos.admin.removeBoundary.$nsid, {
    did: rei.did,
    boundary: SWORDSMITH,
  });

  const { keys, history } = await publishedKeys(node);
  expect(keys).toEqual([fourth]);
  expect(history.map(({ key, membershipSeq }) => [key, membershipSeq])).toEqual([
    [first, 1],
    [second, 2],
    [third, 3],
    [fourth, 3],
  ]);
  const log = await exportedLog(node);
  const { standings } = await verifyMembershipLog(log, { service: NODE_DID, keys, history });
  expect(standings.get(rei.did)?.boundaries).toEqual([]);
  await expect(verifyMembershipLog(log, { service: NODE_DID, keys })).rejects.toThrow(ProofError);
  expect(await checkExportedLog(node.url, ADMIN_PASSWORD)).toMatchObject({ head: { seq: 3 } });
  const entries = await node.ctx.service.audit.newest(1000);
  expect(entries.filter(({ action }) => action === ROTATE).map(({ detail }) => detail)).toEqual([
    fourth,
    third,
    second,
  ]);
});

it('writes the enrollment of everybody anew, by the new key', async () => {
  await using pds = await FakePds.start();
  await using node = await TestNode.start({ people, dataDir, findPdsSession: pds.sessions });
  for (const person of people) await node.enroll(person, [SWORDSMITH]);
  for (const { did } of people) await node.ctx.outbox.settled(did, 5_000);
  const answer = await (await node.operator(ROTATE, {})).json();
  expect(answer.republished).toBe(2);
  for (const { did } of people) {
    await expect.poll(() => signedBy(pds, did), { timeout: 5_000 }).toBe(answer.key);
    const [record] = pds.recordsOf(did);
    const value = record?.value as unknown as Attested;
    const claims = { did, signingKey: value.signingKey, boundaries: [toBoundary(SWORDSMITH)] };
    const { sig, signingKey } = value.attestation;
    const bytes = Buffer.from((sig as unknown as { $bytes: string }).$bytes, 'base64');
    expect(verifyAttestation({ sig: bytes, signingKey }, claims, [answer.key])).toBe(true);
  }
});

interface Attested {
  signingKey: DidKey;
  attestation: Attestation;
}

function signedBy(pds: FakePds, did: string): DidKey | undefined {
  const [record] = pds.recordsOf(did);
  return (record?.value as unknown as Attested | undefined)?.attestation.signingKey;
}

it('queues a community piece by piece, everybody once', async () => {
  await using node = await start();
  const { service } = node.ctx;
  const signingKey = SigningKey.generate('P-256').did();
  const dids = Array.from({ length: 450 }, (_, i) => toDid(`did:plc:person${1000 + i}`));
  await service.transact(async (stores) => {
    for (const did of dids) {
      const standing = { did, signingKey, boundaries: [SWORDSMITH], active: !did.endsWith('7') };
      const enrolledAt = new Date().toISOString();
      const more = { enrolledAt, pdsEndpoint: undefined, enrollmentRkey: 'x' };
      await stores.enrollments.put({ ...standing, ...more });
    }
  });
  expect((await (await node.operator(ROTATE, {})).json()).republished).toBe(405);
  await expect.poll(() => service.nodeKeys.republishAfter(), { timeout: 20_000 }).toBeUndefined();
  const counts = await Promise.all(dids.map((did) => service.outbox.count(did)));
  expect(counts).toEqual(dids.map((did) => (did.endsWith('7') ? 0 : 1)));
});

it('goes on with the records of a change that a crash cut short', async () => {
  {
    await using node = await start();
    for (const person of people) await node.enroll(person, [SWORDSMITH]);
    await rotated(node);
    await expect.poll(() => node.ctx.service.nodeKeys.republishAfter()).toBeUndefined();
    expect(await node.ctx.service.outbox.count(rei.did)).toBe(2);
    await node.ctx.service.nodeKeys.setRepublishAfter(rei.did);
  }
  await using node = await start();
  await expect.poll(() => node.ctx.service.nodeKeys.republishAfter()).toBeUndefined();
  const counts = people.map(({ did }) => node.ctx.service.outbox.count(did));
  expect(await Promise.all(counts)).toEqual([2, 3]);
});

it('stays in force after a restart, wherever the change was interrupted', async () => {
  const path = join(dataDir, 'signing_key');
  let key: DidKey;
  {
    await using node = await start();
    key = await rotated(node);
  }
  {
    await using node = await start();
    expect(node.ctx.nodeKey.did()).toBe(key);
  }
  const unused = Buffer.from(SigningKey.generate('secp256k1').export()).toString('hex');
  await writeFile(`${path}.next`, unused);
  {
    await using node = await start();
    expect(node.ctx.nodeKey.did()).toBe(key);
    key = await rotated(node);
  }
  await rename(path, `${path}.next`);
  await writeFile(path, unused);
  await using node = await start();
  expect(node.ctx.nodeKey.did()).toBe(key);
  expect(await readFile(path, 'utf8')).not.toBe(unused);
});

it('ends all sessions, since their key is made of the one that is gone', async () => {
  await using node = await start();
  const client = await DpopClient.signedIn({ url: node.url, person: rei });
  expect((await client.send('GET', '/oauth/status')).status).toBe(200);
  await rotated(node);
  expect((await client.send('GET', '/oauth/status')).status).toBe(401);
  const again = await DpopClient.signedIn({ url: node.url, person: rei });
  expect((await again.send('GET', '/oauth/status')).status).toBe(200);
});

it('is for the operator alone', async () => {
  await using node = await start();
  const key = node.ctx.nodeKey.did();
  expect((await node.procedure(rei, ROTATE, {})).status).toBe(401);
  expect((await node.post(ROTATE, {})).status).toBe(401);
  expect(node.ctx.nodeKey.did()).toBe(key);
});

it('does not start with a key that the node never had, nor without the one that it has', async () => {
  {
    await using _ = await start();
  }
  await expect(start(HEX)).rejects.toThrow('STRATOS_SIGNING_KEY_HEX');
  const path = join(dataDir, 'signing_key');
  const own = await readFile(path, 'utf8');
  const other = Buffer.from(SigningKey.generate('secp256k1').export()).toString('hex');
  await writeFile(path, other);
  await expect(start()).rejects.toThrow('is not here');
  expect(await readFile(path, 'utf8')).toBe(other);
  await writeFile(path, own);
  await using _ = await start();
});

it.skipIf(process.env['STRATOS_TEST_STORAGE'] === 'postgres')(
  'begins the history of a node that has a log already with the key of that log',
  async () => {
    {
      await using node = await start();
      await node.enroll(rei, [SWORDSMITH]);
    }
    const database = new Database(join(dataDir, 'service.sqlite'));
    database.exec('DELETE FROM node_key');
    database.close();
    await expect(start(HEX)).rejects.toThrow('signed by another key');
    await using node = await start();
    const { keys, history } = await publishedKeys(node);
    const log = await exportedLog(node);
    await verifyMembershipLog(log, { service: NODE_DID, keys, history });
  },
);

it('keeps the next key of a configured one in the database, if it can encrypt it there', async () => {
  const configured = SigningKey.import('secp256k1', Buffer.from('aa'.repeat(32), 'hex')).did();
  {
    await using node = await start(HEX);
    expect(node.ctx.nodeKey.did()).toBe(configured);
    const refused = await node.operator(ROTATE, {});
    expect([refused.status, (await refused.json()).error]).toEqual([400, 'InvalidRequest']);
  }
  let key: DidKey;
  {
    await using node = await start({ ...HEX, ...SECRET });
    key = await rotated(node);
    expect(await rotated(node)).not.toBe(key);
    key = node.ctx.nodeKey.did();
  }
  await using node = await start({ ...HEX, ...SECRET });
  expect(node.ctx.nodeKey.did()).toBe(key);
});

it('is learned by another process before that signs the next entry', async () => {
  await using node = await start();
  await node.enroll(rei, [SWORDSMITH]);
  const { service, logger } = node.ctx;
  const file = new NodeKeyFile(join(dataDir, 'signing_key'), plainVault);
  const options = { did: NODE_DID, service, file, vault: plainVault, logger };
  using other = await NodeKeys.open({ ...options, signingKeyHex: undefined });
  const stale = other.current.did();
  const key = await rotated(node);
  expect(other.current.did()).toBe(stale);
  const signingKey = SigningKey.generate('P-256').did();
  await service.transact((stores) =>
    appendMembership(
      stores,
      { did: NODE_DID, keys: other },
      { did: rei.did, active: true, boundaries: [], signingKey },
    ),
  );
  expect(other.current.did()).toBe(key);
  const { keys, history } = await publishedKeys(node);
  const log = await exportedLog(node);
  expect((await verifyMembershipLog(log, { service: NODE_DID, keys, history })).head?.seq).toBe(2);
});

it('makes one chain of changes that come at once', async () => {
  await using node = await start();
  const keys = await Promise.all(Array.from({ length: 5 }, () => rotated(node)));
  expect(new Set(keys).size).toBe(5);
  expect((await publishedKeys(node)).history.map(({ key }) => key).slice(1)).toEqual(keys);
});
