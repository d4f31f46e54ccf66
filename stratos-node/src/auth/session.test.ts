import { createHmac, createPublicKey } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Sessions, SigningKey, toDid } from '@stratos/protocol';
import { com, zone } from '@stratos/protocol/lexicons';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { DpopClient, type ProofClaims, signedJwt } from '../testing/dpop-client.ts';
import {
  APPVIEW_DID,
  NODE_DID,
  postRecord,
  SWORDSMITH,
  TestNode,
  TestPerson,
} from '../testing/test-node.ts';

const STATUS = zone.stratos.enrollment.status.$nsid;
const CREATE_SESSION = zone.stratos.server.createSession.$nsid;
const CREATE_RECORD = com.atproto.repo.createRecord.$nsid;
const rei = TestPerson.named('rei');
const params = { did: rei.did };
const PATH = `/xrpc/${STATUS}?did=${rei.did}`;

let node: TestNode;
beforeAll(async () => {
  node = await TestNode.start({
    people: [rei],
    env: { STRATOS_IP_RATE_MAX_REQUESTS: '100000' },
  });
  await node.enroll(rei, [SWORDSMITH]);
});
afterAll(() => node[Symbol.asyncDispose]());

async function ask(authorization: string, dpop?: string, url = node.url): Promise<Response> {
  const headers = { authorization, ...(dpop !== undefined && { dpop }) };
  return fetch(`${url}${PATH}`, { headers });
}

async function errorOf(response: Response): Promise<unknown> {
  return [response.status, (await response.json()).error];
}

describe('a session', () => {
  it('is good for every method, with a new proof each time, and names its nonce', async () => {
    const client = await DpopClient.signedIn({ url: node.url, person: rei });
    for (let i = 0; i < 3; i++) {
      const response = await client.get(STATUS, params);
      expect(response.status).toBe(200);
      expect((await response.json()).boundaries).toEqual([{ value: SWORDSMITH }]);
      expect(response.headers.get('dpop-nonce')).toBe(client.nonce);
    }
    const record = postRecord('by session');
    const body = { repo: rei.did, collection: record.$type, record };
    expect((await client.post(CREATE_RECORD, body)).status).toBe(200);
    expect((await client.send('GET', '/oauth/status')).status).toBe(200);
  });

  it('is given for ten minutes, to the key of the proof, and tells what it needs', async () => {
    const client = new DpopClient({ url: node.url, person: rei });
    const lxm = CREATE_SESSION;
    const authorization = await rei.authorization(lxm);
    const claims = client.claims('POST', `/xrpc/${lxm}`);
    const send = (dpop?: string) =>
      fetch(`${node.url}/xrpc/${lxm}`, {
        method: 'POST',
        headers: { authorization, ...(dpop && { dpop }) },
      });
    expect(await errorOf(await send())).toEqual([401, 'AuthRequired']);
    const refused = await send(client.proof(claims));
    expect(await errorOf(refused)).toEqual([401, 'use_dpop_nonce']);
    expect(refused.headers.get('www-authenticate')).toContain('error="use_dpop_nonce"');
    expect(refused.headers.get('access-control-expose-headers')).toContain('DPoP-Nonce');
    const nonce = refused.headers.get('dpop-nonce') ?? '';
    const given = await send(client.proof({ ...claims, nonce }));
    const { token, tokenType, did, expiresAt } = await given.json();
    expect({ tokenType, did }).toEqual({ tokenType: 'DPoP', did: rei.did });
    const { iat, exp, cnf } = JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString());
    expect(exp - iat).toBe(600);
    expect(new Date(expiresAt).getTime()).toBe(exp * 1000);
    expect(cnf.jkt).toMatch(/^[\w-]{43}$/);
    expect(await errorOf(await send(client.proof({ ...claims, nonce })))).toEqual([
      401,
      'AuthRequired',
    ]);
  });

  it('outlives a restart, is the same in every process, and needs a nonce of now', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'stratos-'));
    const client = new DpopClient({ url: '', person: rei });
    const used: string[] = [];
    {
      await using first = await TestNode.start({ people: [rei], dataDir });
      Object.assign(client, await DpopClient.signedIn({ url: first.url, person: rei }));
      used.push(client.proof(client.claims('GET', PATH)));
      expect((await ask(`DPoP ${client.token}`, used[0], first.url)).status).toBe(200);
    }
    await using second = await TestNode.start({ people: [rei], dataDir });
    const replayed = await ask(`DPoP ${client.token}`, used[0], second.url);
    expect(replayed.status).toBe(401);
    client.nonce = replayed.headers.get('dpop-nonce') ?? '';
    const fresh = client.proof(client.claims('GET', PATH));
    expect((await ask(`DPoP ${client.token}`, fresh, second.url)).status).toBe(200);
    await rm(dataDir, { recursive: true });
  });

  it('may be used without nonces where the operator says so, and still once for each proof', async () => {
    await using lenient = await TestNode.start({
      people: [rei],
      env: { STRATOS_DPOP_REQUIRE_NONCE: 'false' },
    });
    const client = await DpopClient.signedIn({ url: lenient.url, person: rei });
    client.nonce = undefined;
    const proof = client.proof(client.claims('GET', PATH));
    expect((await ask(`DPoP ${client.token}`, proof, lenient.url)).status).toBe(200);
    expect((await ask(`DPoP ${client.token}`, proof, lenient.url)).status).toBe(401);
    const wrong = client.proof({ ...client.claims('GET', PATH), nonce: 'x'.repeat(43) });
    expect(await errorOf(await ask(`DPoP ${client.token}`, wrong, lenient.url))).toEqual([
      401,
      'use_dpop_nonce',
    ]);
  });

  it('is let through by exactly one of two equal proofs, however they meet', async () => {
    const client = await DpopClient.signedIn({ url: node.url, person: rei });
    for (let trial = 0; trial < 100; trial++) {
      const proof = client.proof(client.claims('GET', PATH));
      const pair = await Promise.all([0, 1].map(() => ask(`DPoP ${client.token}`, proof)));
      expect(pair.map(({ status }) => status).sort()).toEqual([200, 401]);
    }
  });
});

describe('a forged', () => {
  const now = () => Math.floor(Date.now() / 1000);
  let client: DpopClient;
  beforeAll(async () => {
    client = await DpopClient.signedIn({ url: node.url, person: rei });
  });

  const part = (token: string, index: number) =>
    JSON.parse(Buffer.from(token.split('.')[index] ?? '', 'base64url').toString());
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const altered = (token: string, header: object, claims: object = {}) => {
    const [, , signature] = token.split('.');
    const parts = [
      { ...part(token, 0), ...header },
      { ...part(token, 1), ...claims },
    ];
    return `${parts.map(encode).join('.')}.${signature}`;
  };
  const byHmac = (token: string) => {
    const signed = `${encode({ alg: 'HS256', typ: part(token, 0).typ })}.${token.split('.')[1]}`;
    const publicKey = createPublicKey(client.key).export({ format: 'pem', type: 'spki' });
    return `${signed}.${createHmac('sha256', publicKey).update(signed).digest('base64url')}`;
  };
  const bySomebody = (token: string, header: object = {}, claims: object = {}) =>
    signedJwt(
      { ...part(token, 0), ...header },
      { ...part(token, 1), ...claims },
      SigningKey.generate('P-256').keyObject,
    );
  /** What this very node would sign, but never says. */
  const byTheNode = async (claims: Record<string, unknown>, header: object = {}) => {
    const { authenticator: _, ...ctx } = node.ctx;
    const secrets = new (await import('../keys/node-secrets.ts')).NodeSecrets(() => ctx.nodeKey, {
      isReplayMemoryOurs: false,
    });
    const { token } = client;
    return signedJwt(
      { ...part(token, 0), ...header },
      { ...part(token, 1), ...claims },
      secrets.session.keyObject,
    );
  };

  const tokens: [string, (token: string) => string | Promise<string>][] = [
    ['by nobody (none)', (token) => altered(token, { alg: 'none' }).replace(/[^.]*$/, '')],
    ['by nobody (none, with a signature)', (token) => altered(token, { alg: 'none' })],
    ['with a public key as secret', byHmac],
    ['by another key', (token) => bySomebody(token)],
    [
      'with a key of its own',
      (t) => bySomebody(t, { jwk: createPublicKey(client.key).export({ format: 'jwk' }) }),
    ],
    ['of somebody else', (token) => altered(token, {}, { sub: 'did:plc:sakura' })],
    ['for longer', (token) => altered(token, {}, { exp: now() + 100_000 })],
    ['without a signature', (token) => token.split('.').slice(0, 2).join('.')],
    ['cut off', (token) => token.slice(0, -4)],
    ['of four parts', (token) => `${token}.x`],
    ['of nothing', () => 'x'],
    ['that was good once', () => byTheNode({ iat: now() - 700, exp: now() - 100 })],
    ['that has ended', () => byTheNode({ iat: now() - 300, exp: now() - 10 })],
    ['that lives too long', () => byTheNode({ exp: now() + 5000 })],
    ['of the future', () => byTheNode({ iat: now() + 100, exp: now() + 600 })],
    ['that is not bound', () => byTheNode({ cnf: undefined })],
    ['bound to nothing', () => byTheNode({ cnf: {} })],
    ['bound to another key', () => byTheNode({ cnf: { jkt: 'x'.repeat(43) } })],
    ['of another kind', () => byTheNode({}, { typ: 'JWT' })],
    ['of a kind of the PDS', () => byTheNode({}, { typ: 'at+jwt' })],
    ['with a critical header', () => byTheNode({}, { crit: ['exp'] })],
    ['for another audience', () => byTheNode({ aud: APPVIEW_DID })],
    ['for a service of ours', () => byTheNode({ aud: `${NODE_DID}#atproto_pns` })],
    ['of another issuer', () => byTheNode({ iss: APPVIEW_DID })],
    ['of no person', () => byTheNode({ sub: 'rei' })],
    ['without an end', () => byTheNode({ exp: undefined })],
    [
      'of a gateway',
      async () => {
        const gateway = new Sessions(SigningKey.generate('P-256'), toDid('did:web:gateway.test'));
        return (await gateway.issue({ viewer: rei.did, boundTo: 'x'.repeat(43) })).token;
      },
    ],
    [
      'of a PDS',
      () =>
        signedJwt(
          { typ: 'at+jwt', alg: 'ES256' },
          {
            iss: 'https://pds.test',
            aud: NODE_DID,
            sub: rei.did,
            scope: 'atproto',
            exp: now() + 60,
          },
          SigningKey.generate('P-256').keyObject,
        ),
    ],
  ];

  test.each(tokens)('session %s is none', async (_, forge) => {
    const token = await forge(client.token);
    const own = Object.assign(new DpopClient({ url: node.url, person: rei }), {
      ...client,
      token,
    });
    const proof = client.proof(own.claims('GET', PATH));
    for (const scheme of ['DPoP', 'Bearer']) {
      expect(await errorOf(await ask(`${scheme} ${token}`, proof))).toEqual([401, 'AuthRequired']);
    }
    expect((await client.get(STATUS, params)).status).toBe(200);
  });

  it('session that the node would have signed is one', async () => {
    const token = await byTheNode({});
    const own = Object.assign(new DpopClient({ url: node.url, person: rei }), { ...client, token });
    expect((await ask(`DPoP ${token}`, client.proof(own.claims('GET', PATH)))).status).toBe(200);
  });

  const proofs: [string, (good: ProofClaims) => string][] = [
    ['for another method', (good) => client.proof({ ...good, htm: 'POST' })],
    ['for a method in lower case', (good) => client.proof({ ...good, htm: 'get' })],
    ['for another URL', (good) => client.proof({ ...good, htu: `${good.htu}x` })],
    [
      'for another host',
      (good) => client.proof({ ...good, htu: good.htu.replace('localhost', 'elsewhere') }),
    ],
    [
      'for where the node listens',
      (good) => client.proof({ ...good, htu: `${node.url}/xrpc/${STATUS}` }),
    ],
    ['with the query', (good) => client.proof({ ...good, htu: `${good.htu}?did=${rei.did}` })],
    ['for another token', (good) => client.proof({ ...good, ath: 'x'.repeat(43) })],
    ['for no token', (good) => client.proof({ ...good, ath: undefined })],
    ['that is old', (good) => client.proof({ ...good, iat: now() - 65 })],
    ['of the future', (good) => client.proof({ ...good, iat: now() + 65 })],
    ['without a time', (good) => client.proof({ ...good, iat: undefined })],
    ['without an id', (good) => client.proof({ ...good, jti: undefined })],
    ['of another kind', (good) => client.proof(good, { typ: 'JWT' })],
    ['with no algorithm', (good) => client.proof(good, { alg: 'none' })],
    ['with a shared secret', (good) => client.proof(good, { alg: 'HS256' })],
    ['with another algorithm', (good) => client.proof(good, { alg: 'ES256K' })],
    ['with a critical header', (good) => client.proof(good, { crit: ['jwk'] })],
    ['without a key', (good) => client.proof(good, { jwk: undefined })],
    [
      'with a private key',
      (good) => client.proof(good, { jwk: client.key.export({ format: 'jwk' }) }),
    ],
    ['that is signed by another key', (good) => client.proof(good, { jwk: otherJwk() })],
    ['by another key', (good) => client.proof(good, {}, SigningKey.generate('P-256').keyObject)],
    [
      'by another key in our name',
      (good) => {
        const jwk = createPublicKey(client.key).export({ format: 'jwk' });
        return client.proof(good, { jwk }, SigningKey.generate('P-256').keyObject);
      },
    ],
    ['that is the token', () => client.token],
    ['of nothing', () => 'x'],
  ];
  const otherJwk = () =>
    createPublicKey(SigningKey.generate('P-256').keyObject).export({ format: 'jwk' });

  test.each(proofs)('proof %s does not count', async (_, forge) => {
    const good = client.claims('GET', PATH);
    const response = await ask(`DPoP ${client.token}`, forge(good));
    expect(await errorOf(response)).toEqual([401, 'AuthRequired']);
    expect(response.headers.get('www-authenticate')).toMatch(/^DPoP /);
    expect((await ask(`DPoP ${client.token}`, client.proof(good))).status).toBe(200);
  });

  it('nonce does not count, nor none', async () => {
    const good = client.claims('GET', PATH);
    for (const nonce of [undefined, '', 'x', 'x'.repeat(43)]) {
      const response = await ask(`DPoP ${client.token}`, client.proof({ ...good, nonce }));
      expect(await errorOf(response)).toEqual([401, 'use_dpop_nonce']);
    }
  });

  it('scheme does not count: a session needs its proof, and is no bearer token', async () => {
    const { token } = client;
    const proof = () => client.proof(client.claims('GET', PATH));
    expect(await errorOf(await ask(`DPoP ${token}`))).toEqual([401, 'AuthRequired']);
    const bearer = await ask(`Bearer ${token}`);
    expect(bearer.headers.get('www-authenticate')).toMatch(/^DPoP /);
    expect(await errorOf(bearer)).toEqual([401, 'AuthRequired']);
    expect(await errorOf(await ask(`Bearer ${token}`, proof()))).toEqual([401, 'AuthRequired']);
    expect(await errorOf(await ask(`Basic ${token}`, proof()))).toEqual([401, 'AuthRequired']);
    const renewal = await fetch(`${node.url}/xrpc/${CREATE_SESSION}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        dpop: client.proof(client.claims('POST', `/xrpc/${CREATE_SESSION}`)),
      },
    });
    expect(renewal.status).toBe(401);
  });
});
