import assert from 'node:assert/strict';
import { com, zone } from '@stratos/protocol/lexicons';
import { CheckGroup } from '../check.ts';
import type { Answer } from '../world/answer.ts';
import { ProofKey, type ProofRequest } from '../world/token.ts';
import type { World } from '../world/world.ts';

const { createSession } = zone.stratos.server;
const { getLatestCommit } = com.atproto.sync;
type Output = zone.stratos.server.createSession.$OutputBody;

/** zone.stratos.server.createSession, and what its tokens are good for. */
export const sessions = new CheckGroup('sessions-dpop', ['people']);

/** A URL of the node as proofs name it: by its public address. */
function htuOf({ node }: World, nsid: string): string {
  const endpoint = node.didDocument.service?.find(({ id }) => id.endsWith('#stratos'));
  return new URL(`/xrpc/${nsid}`, String(endpoint?.serviceEndpoint)).href;
}

/** Exchanges a service-auth token, with one more try for the nonce, as clients do. */
async function exchange(
  world: World,
  key: ProofKey,
  wrong: Partial<ProofRequest> = {},
): Promise<Answer> {
  const ask = async (nonce?: string) => {
    const request = { htm: 'POST', htu: htuOf(world, createSession.$nsid), nonce, ...wrong };
    const authorization = await world.people.author.authorization(createSession.$nsid);
    const headers = { dpop: await key.proof(request) };
    return world.node.call(createSession, { method: 'POST', authorization, headers });
  };
  const first = await ask();
  return first.status === 401 && first.json['error'] === 'use_dpop_nonce'
    ? ask(first.headers.get('dpop-nonce') ?? undefined)
    : first;
}

interface Session {
  token: string;
  key: ProofKey;
  nonce: string | undefined;
}

async function openSession(world: World): Promise<Session> {
  const key = new ProofKey();
  const answer = await exchange(world, key);
  const { token } = answer.ok<Output>();
  return { token, key, nonce: answer.headers.get('dpop-nonce') ?? undefined };
}

/** A read of the own repo with a session, and a proof that may be wrong. */
async function read(
  world: World,
  session: Session,
  wrong: Partial<ProofRequest> = {},
): Promise<Answer> {
  const { token, key, nonce } = session;
  const htu = htuOf(world, getLatestCommit.$nsid);
  const dpop = await key.proof({ htm: 'GET', htu, nonce, token, ...wrong });
  return call(world, `DPoP ${token}`, dpop);
}

function call(world: World, authorization: string, dpop?: string): Promise<Answer> {
  const params = { did: world.people.author.did };
  return world.node.call(getLatestCommit, { params, authorization, headers: dpop ? { dpop } : {} });
}

sessions.add('are given for a service-auth token with a proof', async (world) => {
  const answer = await exchange(world, new ProofKey());
  const { did, tokenType } = answer.ok<Output>();
  assert.equal(did, world.people.author.did);
  assert.equal(tokenType, 'DPoP');
});

sessions.add('end after ten minutes', async (world) => {
  const { expiresAt } = (await exchange(world, new ProofKey())).ok<Output>();
  const left = Date.parse(expiresAt) - Date.now();
  assert.ok(left > 0 && left <= 605_000, `${left} ms`);
});

sessions.add('ask for a nonce first, and say which', async (world) => {
  const proof = await new ProofKey().proof({ htm: 'POST', htu: htuOf(world, createSession.$nsid) });
  const authorization = await world.people.author.authorization(createSession.$nsid);
  const answer = await world.node.call(createSession, {
    method: 'POST',
    authorization,
    headers: { dpop: proof },
  });
  answer.refused(401, 'use_dpop_nonce');
  assert.ok(answer.headers.get('dpop-nonce'));
  assert.match(answer.headers.get('www-authenticate') ?? '', /^DPoP.*use_dpop_nonce/);
});

sessions.add('are not given without a proof', async (world) => {
  const authorization = await world.people.author.authorization(createSession.$nsid);
  (await world.node.call(createSession, { method: 'POST', authorization })).refused(
    401,
    'AuthRequired',
  );
});

sessions.add('are not given without a service-auth token', async (world) => {
  const headers = {
    dpop: await new ProofKey().proof({ htm: 'POST', htu: htuOf(world, createSession.$nsid) }),
  };
  const answer = await world.node.call(createSession, { method: 'POST', headers });
  answer.refused(401, 'AuthRequired', 'use_dpop_nonce');
});

sessions.add('let a person read with a proof for each call', async (world) => {
  const session = await openSession(world);
  (await read(world, session)).ok();
  (await read(world, session)).ok();
});

sessions.add('let a person write', async (world) => {
  const session = await openSession(world);
  const { deleteRecord } = com.atproto.repo;
  const body = {
    repo: world.people.author.did,
    collection: zone.stratos.feed.post.$nsid,
    rkey: '3jzfcijpj2zzu',
  };
  const { token, key, nonce } = session;
  const dpop = await key.proof({
    htm: 'POST',
    htu: htuOf(world, deleteRecord.$nsid),
    nonce,
    token,
  });
  const authorization = `DPoP ${token}`;
  (await world.node.call(deleteRecord, { body, authorization, headers: { dpop } })).ok();
});

sessions.add('are nothing without a proof', async (world) => {
  const { token } = await openSession(world);
  (await call(world, `DPoP ${token}`)).refused(401, 'AuthRequired', 'use_dpop_nonce');
});

sessions.add('are nothing as a Bearer token, with a proof or without', async (world) => {
  const { token, key, nonce } = await openSession(world);
  const htu = htuOf(world, getLatestCommit.$nsid);
  const dpop = await key.proof({ htm: 'GET', htu, nonce, token });
  (await call(world, `Bearer ${token}`)).refused(401, 'AuthRequired');
  (await call(world, `Bearer ${token}`, dpop)).refused(401, 'AuthRequired');
});

sessions.add('are nothing with the proof of another key', async (world) => {
  const session = await openSession(world);
  const stolen = { ...session, key: new ProofKey() };
  (await read(world, stolen)).refused(401, 'AuthRequired');
});

sessions.add('take each proof once', async (world) => {
  const { token, key, nonce } = await openSession(world);
  const htu = htuOf(world, getLatestCommit.$nsid);
  const dpop = await key.proof({ htm: 'GET', htu, nonce, token });
  (await call(world, `DPoP ${token}`, dpop)).ok();
  (await call(world, `DPoP ${token}`, dpop)).refused(401, 'AuthRequired');
});

sessions.add('take of two calls at once with one proof one', async (world) => {
  const { token, key, nonce } = await openSession(world);
  const htu = htuOf(world, getLatestCommit.$nsid);
  for (let round = 0; round < 5; round++) {
    const dpop = await key.proof({ htm: 'GET', htu, nonce, token });
    const both = [call(world, `DPoP ${token}`, dpop), call(world, `DPoP ${token}`, dpop)];
    const statuses = (await Promise.all(both)).map(({ status }) => status);
    assert.deepEqual(statuses.sort(), [200, 401]);
  }
});

const now = () => Math.floor(Date.now() / 1000);
const WRONG: Record<string, (world: World) => Partial<ProofRequest>> = {
  'for another HTTP method': () => ({ htm: 'POST' }),
  'for another URL': (world) => ({ htu: htuOf(world, createSession.$nsid) }),
  'for another host': () => ({ htu: `https://other.example/xrpc/${getLatestCommit.$nsid}` }),
  'for another token': () => ({ token: 'another.token.altogether' }),
  'without the hash of the token': () => ({ claims: { ath: undefined } }),
  'that is older than a minute': () => ({ claims: { iat: now() - 120 } }),
  'of the future': () => ({ claims: { iat: now() + 120 } }),
  'without a time': () => ({ claims: { iat: undefined } }),
  'without a number of its own (jti)': () => ({ claims: { jti: undefined } }),
  'with a nonce that is not the node’s': () => ({ nonce: 'made-up' }),
  'without a nonce': () => ({ nonce: undefined }),
  'of another type': () => ({ header: { typ: 'JWT' } }),
  'with alg none': () => ({ header: { alg: 'none' } }),
  'with HS256': () => ({ header: { alg: 'HS256' } }),
  'with its private key in it': () => ({
    header: { jwk: { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', d: 'd' } },
  }),
  'without a key': () => ({ header: { jwk: undefined } }),
};

for (const [what, wrong] of Object.entries(WRONG)) {
  sessions.add(`take no proof ${what}`, async (world) => {
    const answer = await read(world, await openSession(world), wrong(world));
    answer.refused(401, 'AuthRequired', 'use_dpop_nonce', 'invalid_dpop_proof');
  });
}

sessions.add('of a PDS are not taken, with a proof or without', async (world) => {
  const key = new ProofKey();
  const token = world.people.author.pds.accessToken;
  const dpop = await key.proof({ htm: 'GET', htu: htuOf(world, getLatestCommit.$nsid), token });
  (await call(world, `DPoP ${token}`, dpop)).refused(401, 'AuthRequired', 'use_dpop_nonce');
});

sessions.add('accept a service-auth token of an hour for the exchange alone', async (world) => {
  const { node, people } = world;
  const long = { audience: node.did, lxm: createSession.$nsid, lifetimeSeconds: 3_500 };
  const key = new ProofKey();
  const { headers } = await exchange(world, key);
  const proof = {
    htm: 'POST',
    htu: htuOf(world, createSession.$nsid),
    nonce: headers.get('dpop-nonce') ?? undefined,
  };
  const answer = await node.call(createSession, {
    method: 'POST',
    authorization: `Bearer ${await people.author.pds.serviceAuth(long)}`,
    headers: { dpop: await key.proof(proof) },
  });
  answer.ok();
});
