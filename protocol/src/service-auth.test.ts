import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { appViewDidDocument } from './did-document.ts';
import { AuthRequiredError } from './errors.ts';
import { type Did, toDid } from './identifiers.ts';
import { MemoryReplayStore, type ReplayStore } from './replay-store.ts';
import { createServiceAuthVerifier, mintServiceAuth } from './service-auth.ts';
import { SigningKey } from './signing-key.ts';

const issuer = toDid('did:web:app.example');
const audience = toDid('did:web:localhost%3A4000');
const lxm = 'zone.stratos.feed.getTimeline';
const key = SigningKey.generate('secp256k1');
const now = () => Math.floor(Date.now() / 1000);

function verifier(options: { keys?: SigningKey[]; replayStore?: ReplayStore } = {}) {
  const keys = options.keys ?? [key];
  let asked = 0;
  return createServiceAuthVerifier({
    audience,
    replayStore: options.replayStore ?? new MemoryReplayStore(),
    identity: {
      async didDocument(did) {
        if (!did.startsWith(issuer)) return undefined;
        const signingKey = (keys[Math.min(asked++, keys.length - 1)] ?? key).did();
        return appViewDidDocument({ did: issuer, publicUrl: 'https://app.example', signingKey });
      },
    },
  });
}

interface Parts {
  header?: Record<string, unknown>;
  claims?: Record<string, unknown>;
  signer?: SigningKey;
}

async function token({ header = {}, claims = {}, signer = key }: Parts = {}) {
  const all = {
    iss: issuer,
    aud: audience,
    lxm,
    iat: now(),
    exp: now() + 60,
    jti: crypto.randomUUID(),
    ...claims,
  };
  const signed = [{ typ: 'JWT', alg: 'ES256K', ...header }, all]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${signed}.${Buffer.from(await signer.sign(Buffer.from(signed))).toString('base64url')}`;
}

describe('service auth', () => {
  it('accepts what mintServiceAuth makes, once', async () => {
    const { verify } = verifier();
    const jwt = await mintServiceAuth({ issuer, audience, lxm, key });
    expect(await verify(jwt, lxm)).toBe(issuer);
    await expect(verify(jwt, lxm)).rejects.toThrow('already used');
  });

  it('lets exactly one of many at once pass', async () => {
    const { verify } = verifier();
    const jwt = await token();
    const results = await Promise.allSettled(Array.from({ length: 50 }, () => verify(jwt, lxm)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it.each<[string, Parts]>([
    ['an audience with fragment', { claims: { aud: `${audience}#stratos_gateway` } }],
    ['a kid of #atproto', { header: { kid: '#atproto' } }],
  ])('accepts %s', async (_, parts) => {
    expect(await verifier().verify(await token(parts), lxm)).toBe(issuer);
  });

  it.each<[string, Parts]>([
    ['another audience', { claims: { aud: 'did:web:elsewhere.example' } }],
    ['an audience that only begins like ours', { claims: { aud: `${audience}0` } }],
    ['no audience', { claims: { aud: undefined } }],
    ['another method', { claims: { lxm: 'zone.stratos.feed.getPost' } }],
    ['no method', { claims: { lxm: undefined } }],
    ['no iat', { claims: { iat: undefined } }],
    ['no exp', { claims: { exp: undefined } }],
    ['no jti', { claims: { jti: undefined } }],
    ['an empty jti', { claims: { jti: '' } }],
    ['an issuer with fragment', { claims: { iss: `${issuer}#atproto` } }],
    ['another issuer', { claims: { iss: 'did:web:elsewhere.example' } }],
    ['expiry in the past', { claims: { iat: now() - 120, exp: now() - 60 } }],
    ['issue in the future', { claims: { iat: now() + 120, exp: now() + 180 } }],
    ['too long a life', { claims: { iat: now(), exp: now() + 301 } }],
    ['an end before its beginning', { claims: { iat: now() + 20, exp: now() + 10 } }],
    ['another key', { signer: SigningKey.generate('secp256k1') }],
    ['a key of another curve', { signer: SigningKey.generate('P-256') }],
    ['another alg than the key has', { header: { alg: 'ES256' } }],
    ['alg none', { header: { alg: 'none' } }],
    ['another kid', { header: { kid: '#other' } }],
    ['another typ', { header: { typ: 'at+jwt' } }],
    ['no typ', { header: { typ: undefined } }],
    ['critical extensions', { header: { crit: ['b64'] } }],
    ['use before its time', { claims: { nbf: now() + 120 } }],
  ])('refuses %s', async (_, parts) => {
    // One that remembers all: what is refused is not refused for being older than its memory.
    const { verify } = verifier({ replayStore: { claim: async () => true } });
    expect(await verify(await token(), lxm)).toBe(issuer);
    await expect(verify(await token(parts), lxm)).rejects.toThrow(AuthRequiredError);
  });

  it('refuses HS256 with the public key as secret, and a token without signature', async () => {
    const [header, claims] = (await token({ header: { alg: 'HS256' } })).split('.');
    const mac = createHmac('sha256', key.did()).update(`${header}.${claims}`).digest('base64url');
    for (const jwt of [
      `${header}.${claims}.${mac}`,
      `${header}.${claims}.`,
      `${header}.${claims}`,
      'x',
      '',
    ]) {
      await expect(verifier().verify(jwt, lxm)).rejects.toThrow(AuthRequiredError);
    }
  });

  it('takes a longer life only where the method allows it', async () => {
    const claims = { exp: now() + 3600 };
    expect(
      await verifier().verify(await token({ claims }), lxm, { maxLifetimeSeconds: 3600 }),
    ).toBe(issuer);
  });

  it('asks once more for the key when the one it knows does not fit', async () => {
    const old = SigningKey.generate('secp256k1');
    expect(await verifier({ keys: [old, key] }).verify(await token(), lxm)).toBe(issuer);
  });

  it('asks for it once, however many forged tokens come', async () => {
    const asked: (boolean | undefined)[] = [];
    const { verify } = createServiceAuthVerifier({
      audience,
      replayStore: new MemoryReplayStore(),
      identity: {
        async didDocument(did, options) {
          asked.push(options?.refresh);
          return appViewDidDocument({
            did,
            publicUrl: 'https://app.example',
            signingKey: key.did(),
          });
        },
      },
    });
    const signer = SigningKey.generate('secp256k1');
    for (let i = 0; i < 5; i++) {
      await expect(verify(await token({ signer }), lxm)).rejects.toThrow('bad signature');
    }
    expect(asked.filter((refresh) => refresh)).toHaveLength(1);
    expect(await verify(await token(), lxm)).toBe(issuer);
  });

  it('refuses when the replay store cannot be asked', async () => {
    const replayStore = { claim: async () => Promise.reject(new Error('down')) };
    await expect(verifier({ replayStore }).verify(await token(), lxm)).rejects.toThrow(
      AuthRequiredError,
    );
  });

  it('refuses what is older than the memory of the replay store', async () => {
    const replayStore = { claim: async () => true, remembersSince: new Date() };
    const claims = { iat: now() - 60, exp: now() + 60 };
    await expect(verifier({ replayStore }).verify(await token({ claims }), lxm)).rejects.toThrow(
      'older',
    );
    expect(await verifier({ replayStore }).verify(await token(), lxm)).toBe(issuer satisfies Did);
  });
});
