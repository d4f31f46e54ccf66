import { createHash, randomUUID } from 'node:crypto';
import { type Did, SigningKey, toDid } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import {
  calculateJwkThumbprint,
  decodeJwt,
  exportJWK,
  generateKeyPair,
  type JWK,
  SignJWT,
} from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GRAPHQL_METHOD, TRPC_METHOD } from '../methods.ts';
import { type Person, serviceAuth } from '../testing/people.ts';
import { type Answer, graphql, send, trpc, xrpc } from '../testing/surfaces.ts';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.ts';

const CREATE_SESSION = zone.stratos.gateway.createSession.$nsid;
const GET_TIMELINE = zone.stratos.feed.getTimeline.$nsid;

let gateway: TestGateway;
let alice: Person;
beforeAll(async () => {
  gateway = await startTestGateway();
  alice = gateway.people.add('alice');
});
afterAll(() => gateway[Symbol.asyncDispose]());

const now = () => Math.floor(Date.now() / 1000);
const encode = (part: unknown) => Buffer.from(JSON.stringify(part)).toString('base64url');

interface Forgery {
  header?: Record<string, unknown>;
  claims?: Record<string, unknown>;
  key?: SigningKey;
}

async function forge(lxm: string, { header, claims, key = alice.key }: Forgery): Promise<string> {
  const signed = [
    { typ: 'JWT', alg: 'ES256K', ...header },
    {
      iss: alice.did,
      aud: gateway.did,
      lxm,
      iat: now(),
      exp: now() + 60,
      jti: randomUUID(),
      ...claims,
    },
  ];
  const text = signed.map(encode).join('.');
  return `${text}.${Buffer.from(await key.sign(Buffer.from(text))).toString('base64url')}`;
}

function createSession(token: string, headers: Record<string, string> = {}): Promise<Answer> {
  return send(`${gateway.url}/xrpc/${CREATE_SESSION}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, ...headers },
  });
}

describe('service-auth', () => {
  test('lets its issuer in, once, for the method that it names', async () => {
    const direct: [string, (token: string) => Promise<Answer>][] = [
      [GET_TIMELINE, (token) => xrpc(gateway.url, token, GET_TIMELINE)],
      [GRAPHQL_METHOD, (token) => graphql(gateway.url, token, '{ viewer { did } }')],
      [TRPC_METHOD, (token) => trpc(gateway.url, token, 'viewer')],
      [CREATE_SESSION, (token) => createSession(token)],
    ];
    for (const [method, call] of direct) {
      const token = await serviceAuth(alice, gateway.did, method);
      expect((await call(token)).status).toBe(200);
      expect((await call(token)).status).toBe(401);
      for (const [other] of direct.filter(([name]) => name !== method)) {
        expect((await call(await serviceAuth(alice, gateway.did, other))).status).toBe(401);
      }
    }
  });

  const wrong: [string, () => Forgery][] = [
    ['expired', () => ({ claims: { iat: now() - 120, exp: now() - 60 } })],
    ['without an end', () => ({ claims: { exp: undefined } })],
    ['without a beginning', () => ({ claims: { iat: undefined } })],
    ['from the future', () => ({ claims: { iat: now() + 600, exp: now() + 660 } })],
    ['for another audience', () => ({ claims: { aud: 'did:web:elsewhere.test' } })],
    ['without an audience', () => ({ claims: { aud: undefined } })],
    ['for another method', () => ({ claims: { lxm: 'com.atproto.repo.getRecord' } })],
    ['without a method', () => ({ claims: { lxm: undefined } })],
    ['without an id', () => ({ claims: { jti: undefined } })],
    ['living too long', () => ({ claims: { exp: now() + 4000 } })],
    ['not signed', () => ({ header: { alg: 'none' } })],
    ['with another algorithm', () => ({ header: { alg: 'ES256' } })],
    ['with a shared secret', () => ({ header: { alg: 'HS256' } })],
    ['of another kind', () => ({ header: { typ: 'at+jwt' } })],
    ['by another key of the issuer', () => ({ header: { kid: '#other' } })],
    ['by somebody else', () => ({ key: gateway.people.add('mallory').key })],
    ['by nobody who is known', () => ({ claims: { iss: 'did:plc:nobody2222222222222222' } })],
    ['by an issuer with a fragment', () => ({ claims: { iss: `${alice.did}#atproto` } })],
  ];
  test.each(wrong)('does not count when it is %s', async (_, forgery) => {
    for (const call of [
      (token: string) => createSession(token),
      (token: string) => xrpc(gateway.url, token, GET_TIMELINE),
    ]) {
      const method = call.toString().includes('createSession') ? CREATE_SESSION : GET_TIMELINE;
      expect((await call(await forge(method, {}))).status).toBe(200);
      const answer = await call(await forge(method, forgery()));
      expect(answer.status).toBe(401);
      expect(JSON.parse(answer.body).error).toBe('AuthRequired');
    }
  });

  test('may live for an hour where it is exchanged, and five minutes elsewhere', async () => {
    const claims = { exp: now() + 3590 };
    expect((await createSession(await forge(CREATE_SESSION, { claims }))).status).toBe(200);
    const direct = await forge(GET_TIMELINE, { claims });
    expect((await xrpc(gateway.url, direct, GET_TIMELINE)).status).toBe(401);
  });

  test('from before the replay memory began does not count', async () => {
    const claims = { iat: now() - 250, exp: now() + 20 };
    expect((await createSession(await forge(CREATE_SESSION, { claims }))).status).toBe(401);
  });
});

describe('a session', () => {
  test('names its viewer for ten minutes, on every surface', async () => {
    const token = await gateway.session(alice);
    const { sub, iss, aud, exp = 0, iat = 0, jti } = decodeJwt(token);
    expect({ sub, iss, aud }).toEqual({ sub: alice.did, iss: gateway.did, aud: gateway.did });
    expect(exp - iat).toBe(600);
    expect(jti).toBeTruthy();
    for (let i = 0; i < 2; i++) {
      expect((await xrpc(gateway.url, token, GET_TIMELINE)).status).toBe(200);
      expect((await trpc(gateway.url, token, 'viewer')).body).toContain(alice.did);
    }
  });

  test('is not what anybody else signed, nor with other claims', async () => {
    const header = { typ: 'stratos-session+jwt', alg: 'ES256' };
    const claims = { iss: gateway.did, aud: gateway.did, sub: alice.did, lxm: undefined };
    const forged = await forge(GET_TIMELINE, { header, claims, key: SigningKey.generate('P-256') });
    expect((await xrpc(gateway.url, forged, GET_TIMELINE)).status).toBe(401);
    const [head, , signature] = (await gateway.session(alice)).split('.');
    const other = { ...decodeJwt(await gateway.session(alice)), sub: toDid('did:plc:other') };
    const altered = `${head}.${encode(other)}.${signature}`;
    expect((await xrpc(gateway.url, altered, GET_TIMELINE)).status).toBe(401);
  });

  test('is not a service-auth token, so it cannot renew itself', async () => {
    expect((await createSession(await gateway.session(alice))).status).toBe(401);
  });
});

interface DpopKey {
  privateKey: CryptoKey;
  jwk: JWK;
}

async function dpopKey(): Promise<DpopKey> {
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  return { privateKey, jwk: await exportJWK(publicKey) };
}

interface ProofOptions {
  method?: string;
  url?: string;
  token?: string;
  nonce?: string | undefined;
  jti?: string;
  iat?: number;
  typ?: string;
}

function proof(key: DpopKey, options: ProofOptions): Promise<string> {
  const { method = 'GET', url = '', token, nonce, iat, typ = 'dpop+jwt' } = options;
  const ath = token && createHash('sha256').update(token).digest('base64url');
  const { jti = randomUUID() } = options;
  return new SignJWT({ htm: method, htu: url, jti, ...(ath && { ath }), ...(nonce && { nonce }) })
    .setProtectedHeader({ alg: 'ES256', typ, jwk: key.jwk })
    .setIssuedAt(iat ?? now())
    .sign(key.privateKey);
}

describe('a session that is bound by DPoP', () => {
  const sessionUrl = () => `${gateway.url}/xrpc/${CREATE_SESSION}`;
  const timelineUrl = () => `${gateway.url}/xrpc/${GET_TIMELINE}`;

  async function bound(key: DpopKey): Promise<{ token: string; nonce: string }> {
    const token = await serviceAuth(alice, gateway.did, CREATE_SESSION);
    const options = { method: 'POST', url: sessionUrl() };
    const refused = await createSession(token, { dpop: await proof(key, options) });
    expect(refused.status).toBe(401);
    expect(JSON.parse(refused.body).error).toBe('use_dpop_nonce');
    const nonce = refused.headers['dpop-nonce'] ?? '';
    const answer = await createSession(token, { dpop: await proof(key, { ...options, nonce }) });
    const session = JSON.parse(answer.body);
    expect(session).toMatchObject({ did: alice.did, tokenType: 'DPoP' });
    return { token: session.token, nonce };
  }

  function timeline(token: string, dpop: string, scheme = 'DPoP'): Promise<Answer> {
    return send(timelineUrl(), { headers: { authorization: `${scheme} ${token}`, dpop } });
  }

  test('is good with a fresh proof of its key, and only so', async () => {
    const key = await dpopKey();
    const { token, nonce } = await bound(key);
    expect(decodeJwt(token)['cnf']).toEqual({ jkt: await calculateJwkThumbprint(key.jwk) });
    const good = { url: timelineUrl(), token, nonce };
    const once = await proof(key, good);
    expect((await timeline(token, once)).status).toBe(200);
    expect((await timeline(token, once)).status).toBe(401);
    const wrong: [string, ProofOptions][] = [
      ['method', { ...good, method: 'POST' }],
      ['URL', { ...good, url: `${gateway.url}/graphql` }],
      ['host', { ...good, url: timelineUrl().replace('localhost', 'elsewhere.test') }],
      ['token', { ...good, token: 'another' }],
      ['no token', { url: timelineUrl(), nonce }],
      ['age', { ...good, iat: now() - 90 }],
      ['future', { ...good, iat: now() + 90 }],
      ['kind', { ...good, typ: 'JWT' }],
      ['no nonce', { url: timelineUrl(), token }],
      ['nonce', { ...good, nonce: 'x'.repeat(43) }],
    ];
    for (const [what, options] of wrong) {
      expect([what, (await timeline(token, await proof(key, options))).status]).toEqual([
        what,
        401,
      ]);
    }
    expect((await timeline(token, await proof(await dpopKey(), good))).status).toBe(401);
    expect((await timeline(token, await proof(key, good), 'Bearer')).status).toBe(401);
    expect(
      (await send(timelineUrl(), { headers: { authorization: `DPoP ${token}` } })).status,
    ).toBe(401);
  });

  test('is proven by one of many equal proofs that come at once', async () => {
    const key = await dpopKey();
    const { token, nonce } = await bound(key);
    const same = await proof(key, { url: timelineUrl(), token, nonce });
    const answers = await Promise.all(Array.from({ length: 20 }, () => timeline(token, same)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  test('is not what a plain session is', async () => {
    const key = await dpopKey();
    const { nonce } = await bound(key);
    const token = await gateway.session(alice);
    const options = { url: timelineUrl(), token, nonce };
    expect((await timeline(token, await proof(key, options))).status).toBe(401);
  });
});

test('gateways that share DID and key take each other’s sessions', async () => {
  const shared = {
    APPVIEW_DID: gateway.did,
    GATEWAY_SESSION_KEY_FILE: gateway.config.sessionKeyFile,
  };
  await using replica = await startTestGateway(shared);
  await using strict = await startTestGateway({ ...shared, GATEWAY_BEARER_SESSIONS: 'false' });
  const token = await gateway.session(alice);
  expect((await xrpc(replica.url, token, GET_TIMELINE)).status).toBe(200);
  expect((await xrpc(strict.url, token, GET_TIMELINE)).status).toBe(401);
});

test('plain sessions can be switched off', async () => {
  await using strict = await startTestGateway({ GATEWAY_BEARER_SESSIONS: 'false' });
  const person: Person = strict.people.add('alice');
  await expect(strict.session(person)).rejects.toThrow('401');
});

test('a token of one gateway is none of another', async () => {
  await using other = await startTestGateway();
  const audience: Did = other.did;
  const token = await other.session(other.people.add('alice'));
  expect((await xrpc(gateway.url, token, GET_TIMELINE)).status).toBe(401);
  const misdirected = await serviceAuth(alice, audience, GET_TIMELINE);
  expect((await xrpc(gateway.url, misdirected, GET_TIMELINE)).status).toBe(401);
});
