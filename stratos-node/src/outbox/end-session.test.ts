import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NodeOAuthClient, NodeSavedSession } from '@atproto/oauth-client-node';
import { toDid } from '@stratos/protocol';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { ServiceStorage } from '../storage/service-storage.ts';
import { openServiceStorage } from '../storage/sqlite/service-storage.ts';
import { endOAuthSession } from './end-session.ts';

const did = toDid('did:plc:z72i7hdynmk6r22z27h6tvur');
const BEFORE = '2020-01-01T00:00:00.000Z';
const LATER = '2120-01-01T00:00:00.000Z';
const sessionWith = (token: string) => ({ tokenSet: { access_token: token } }) as NodeSavedSession;

let dataDir: string;
let storage: ServiceStorage;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'stratos-'));
  storage = await openServiceStorage(dataDir);
});
afterEach(async () => {
  await storage[Symbol.asyncDispose]();
  await rm(dataDir, { recursive: true });
});

/** An authorization server that notes which tokens were revoked, or cannot be reached. */
function client(revoked: string[], onRevoke: () => Promise<unknown> = async () => undefined) {
  const revoke = async (token: string) => {
    revoked.push(token);
    await onRevoke();
  };
  return { restore: async () => ({ server: { revoke } }) } as unknown as NodeOAuthClient;
}
const unreachable = {
  restore: async () => Promise.reject(new Error('no answer')),
} as unknown as NodeOAuthClient;

it('revokes and forgets the session, refreshed or not', async () => {
  const { oauth } = storage;
  await oauth.putSession(did, sessionWith('first'));
  const given = (await oauth.sessionOf(did))?.createdAt ?? '';
  await oauth.putSession(did, sessionWith('refreshed'));
  expect((await oauth.sessionOf(did))?.createdAt).toBe(given);
  const revoked: string[] = [];
  await endOAuthSession(client(revoked), oauth)(did, given);
  expect(revoked).toEqual(['refreshed']);
  expect(await oauth.session(did)).toBeUndefined();
});

it('leaves a session that was given later', async () => {
  const { oauth } = storage;
  await oauth.putSession(did, sessionWith('new'));
  const revoked: string[] = [];
  await endOAuthSession(client(revoked), oauth)(did, BEFORE);
  expect(revoked).toEqual([]);
  expect(await oauth.session(did)).toBeDefined();
});

it('leaves a session that is given while another is revoked', async () => {
  const { oauth } = storage;
  await oauth.putSession(did, sessionWith('old'));
  const first = (await oauth.sessionOf(did))?.createdAt;
  const revoked: string[] = [];
  const giveAnother = async () => {
    await oauth.deleteSession(did);
    while (new Date().toISOString() === first) await new Promise(setImmediate);
    await oauth.putSession(did, sessionWith('new'));
  };
  await endOAuthSession(client(revoked, giveAnother), oauth)(did, LATER);
  expect(revoked).toEqual(['old']);
  expect((await oauth.session(did))?.tokenSet.access_token).toBe('new');
});

it('forgets the session also when the PDS cannot be reached', async () => {
  const { oauth } = storage;
  await oauth.putSession(did, sessionWith('old'));
  await endOAuthSession(unreachable, oauth)(did, LATER);
  expect(await oauth.session(did)).toBeUndefined();
  await endOAuthSession(unreachable, oauth)(did, LATER);
});
