import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it, vi } from 'vitest';
import { atprotoKeyOf } from './did-document.ts';
import { toDid } from './identifiers.ts';
import { createIdentityResolver } from './identity.ts';
import { SigningKey } from './signing-key.ts';

const MINUTE = 60_000;
const did = toDid('did:plc:reiaaaaaaaaaaaaaaaaaaaaa');

afterEach(() => {
  vi.useRealTimers();
});

/** A directory that says what the key of an account is now. */
async function openDirectory() {
  const state = { key: SigningKey.generate('secp256k1').did(), asked: 0 };
  const server = createServer((_req, res) => {
    state.asked += 1;
    const [, publicKeyMultibase] = state.key.split('did:key:');
    const method = { id: `${did}#atproto`, type: 'Multikey', controller: did, publicKeyMultibase };
    res.setHeader('content-type', 'application/json');
    res.end(
      JSON.stringify({ id: did, alsoKnownAs: [], verificationMethod: [method], service: [] }),
    );
  });
  await once(server.listen(0, 'localhost'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    state,
    url: `http://localhost:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

it('takes a key for what it is for ten minutes at most, and asks anew when told to', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: 1_800_000_000_000 });
  await using directory = await openDirectory();
  const identity = createIdentityResolver({ plcUrl: directory.url, devMode: true });
  const keyNow = async (options?: { refresh: boolean }) => {
    const document = await identity.didDocument(did, options);
    return document && atprotoKeyOf(document);
  };
  const { state } = directory;
  const first = state.key;
  expect(await keyNow()).toBe(first);
  state.key = SigningKey.generate('secp256k1').did();
  expect(await keyNow()).toBe(first);
  expect(state.asked).toBe(1);
  expect(await keyNow({ refresh: true })).toBe(state.key);
  const second = state.key;
  state.key = SigningKey.generate('secp256k1').did();
  vi.advanceTimersByTime(11 * MINUTE);
  expect(await keyNow()).not.toBe(second);
});
