import { createHash, createPublicKey, randomUUID, sign } from 'node:crypto';
import { afterEach, expect, it, vi } from 'vitest';
import { DpopNonceError, DpopProofError, DpopVerifier, dpopToken } from './dpop.ts';
import { DpopNonces } from './dpop-nonce.ts';
import { signEs256 } from './jws.ts';
import { MemoryReplayStore, type ReplayStore } from './replay-store.ts';
import { SigningKey } from './signing-key.ts';

const key = SigningKey.generate('P-256').keyObject;
const { kty, crv, x = '', y = '' } = createPublicKey(key).export({ format: 'jwk' });
const ieee = { dsaEncoding: 'ieee-p1363' } as const;
const nonces = new DpopNonces(new Uint8Array(32));
const expected = { method: 'GET', url: 'https://node.example.com/xrpc/x' };

function proof(claims: Record<string, unknown> = {}): string {
  return signEs256(
    { typ: 'dpop+jwt', alg: 'ES256', jwk: { kty, crv, x, y } },
    {
      htm: expected.method,
      htu: expected.url,
      iat: Math.floor(Date.now() / 1000),
      jti: randomUUID(),
      nonce: nonces.current(),
      ...claims,
    },
    key,
  );
}

const verifierOn = (replayStore: ReplayStore, requireNonce?: boolean) =>
  new DpopVerifier({ nonces, replayStore, ...(requireNonce !== undefined && { requireNonce }) });

afterEach(() => {
  vi.useRealTimers();
});

it('names the key of a proof by its thumbprint (RFC 7638)', async () => {
  const canonical = `{"crv":"P-256","kty":"EC","x":"${x}","y":"${y}"}`;
  const thumbprint = createHash('sha256').update(canonical).digest('base64url');
  expect(await verifierOn(new MemoryReplayStore()).verify(proof(), expected)).toBe(thumbprint);
});

it('knows the thumbprint of the example of RFC 9449', async () => {
  const jwk = {
    kty: 'EC',
    x: 'l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs',
    y: '9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA',
    crv: 'P-256',
  };
  const example =
    'eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19' +
    '.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ' +
    '.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg';
  expect(JSON.parse(Buffer.from(example.split('.')[0] ?? '', 'base64url').toString()).jwk).toEqual(
    jwk,
  );
  vi.useFakeTimers({ now: 1_562_262_616_000 });
  const verifier = verifierOn(new MemoryReplayStore(), false);
  const request = { method: 'POST', url: 'https://server.example.com/token' };
  expect(await verifier.verify(example, request)).toBe(
    '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I',
  );
});

it('lets exactly one of two equal proofs through, in ten thousand trials', {
  timeout: 120_000,
}, async () => {
  const verifier = verifierOn(new MemoryReplayStore());
  let successes = 0;
  for (let trial = 0; trial < 10_000; trial++) {
    const same = proof();
    const pair = await Promise.allSettled([0, 1].map(() => verifier.verify(same, expected)));
    if (pair.filter(({ status }) => status === 'fulfilled').length === 1) successes += 1;
  }
  expect(successes).toBe(10_000);
});

it('refuses a signature that the key of the proof did not make', async () => {
  const verifier = verifierOn(new MemoryReplayStore());
  const good = proof();
  const [head = '', claims = '', signature = ''] = good.split('.');
  const bytes = Buffer.from(signature, 'base64url');
  const signed = Buffer.from(`${head}.${claims}`);
  const wrong = [
    sign('sha256', signed, { ...ieee, key: SigningKey.generate('P-256').keyObject }),
    sign('sha512', signed, { ...ieee, key }),
    sign('sha256', signed, { dsaEncoding: 'der', key }),
    Buffer.alloc(64),
    bytes.subarray(0, 63),
    Buffer.concat([bytes, Buffer.alloc(1)]),
    Buffer.from(bytes.map((byte, i) => (i === 40 ? byte ^ 1 : byte))),
  ];
  for (const other of wrong) {
    const forged = `${head}.${claims}.${other.toString('base64url')}`;
    await expect(verifier.verify(forged, expected)).rejects.toThrow(/bad signature/);
  }
  await verifier.verify(good, expected);
});

it('refuses when it cannot tell whether a proof was used', async () => {
  const down = { claim: () => Promise.reject(new Error('down')) };
  await expect(verifierOn(down).verify(proof(), expected)).rejects.toThrow(DpopProofError);
});

it('refuses what a store that forgot may have seen', async () => {
  const store = { claim: async () => true, remembersSince: new Date() };
  const old = proof({ iat: Math.floor(Date.now() / 1000) - 10 });
  await expect(verifierOn(store).verify(old, expected)).rejects.toThrow(DpopProofError);
});

it('remembers a proof for longer than it could be used', async () => {
  vi.useFakeTimers({ now: 1_800_000_000_000 });
  const verifier = verifierOn(new MemoryReplayStore());
  const early = proof({ iat: Math.floor(Date.now() / 1000) + 60 });
  await verifier.verify(early, expected);
  for (let seconds = 0; seconds < 130; seconds += 10) {
    await expect(verifier.verify(early, expected)).rejects.toThrow(DpopProofError);
    vi.advanceTimersByTime(10_000);
  }
});

it('does not use up a proof that only lacks a nonce', async () => {
  const store = new MemoryReplayStore();
  const jti = randomUUID();
  const first = verifierOn(store).verify(proof({ jti, nonce: undefined }), expected);
  await expect(first).rejects.toThrow(DpopNonceError);
  await verifierOn(store).verify(proof({ jti }), expected);
});

it('has a nonce that lasts five minutes at most, and another for each secret', () => {
  vi.useFakeTimers({ now: 1_800_000_000_000 });
  const nonce = nonces.current();
  expect(new DpopNonces(new Uint8Array(32)).accepts(nonce)).toBe(true);
  expect(new DpopNonces(new Uint8Array(32).fill(1)).accepts(nonce)).toBe(false);
  vi.advanceTimersByTime(150_000);
  expect(nonces.current()).not.toBe(nonce);
  expect(nonces.accepts(nonce)).toBe(true);
  vi.advanceTimersByTime(150_000);
  expect(nonces.accepts(nonce)).toBe(false);
});

it('takes tokens of its own scheme alone', () => {
  expect(dpopToken('DPoP a.b.c')).toBe('a.b.c');
  expect(dpopToken('dpop a.b.c')).toBe('a.b.c');
  for (const other of [undefined, '', 'Bearer a.b.c', 'DPoP', 'DPoP ', 'DPoP a b', 'xDPoP a']) {
    expect(dpopToken(other)).toBeUndefined();
  }
});
