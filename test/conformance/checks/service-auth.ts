import assert from 'node:assert/strict';
import { SigningKey } from '@stratos/protocol';
import { com, zone } from '@stratos/protocol/lexicons';
import { CheckGroup } from '../check.ts';
import type { AppView } from '../world/caller.ts';
import { forge, goodClaims, highS, SECP256K1_ORDER } from '../world/token.ts';
import type { World } from '../world/world.ts';

const method = zone.stratos.enrollment.status;
const { getLatestCommit } = com.atproto.sync;
const NOBODY = 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa';

/** Who is believed to be who they say. */
export const serviceAuth = new CheckGroup('service-auth');

/** What the node makes of a token: true if it believes it. */
async function isBelieved({ node }: World, token: string, scheme = 'Bearer'): Promise<boolean> {
  const authorization = `${scheme} ${token}`;
  const answer = await node.call(method, { params: { did: NOBODY }, authorization });
  if (answer.status === 200) return true;
  answer.refused(401, 'AuthRequired');
  return false;
}

serviceAuth.add('a token from a person’s PDS is believed', ['people'], async (world) => {
  assert.ok(await isBelieved(world, await world.people.author.token(method.$nsid)));
});

serviceAuth.add('a token of an AppView is believed', ['appView'], async (world) => {
  assert.ok(await isBelieved(world, await world.appView.token(method.$nsid)));
});

serviceAuth.add('a token is good for one call alone', ['appView'], async (world) => {
  const token = await world.appView.token(method.$nsid);
  assert.deepEqual([await isBelieved(world, token), await isBelieved(world, token)], [true, false]);
});

serviceAuth.add(
  'of two calls at once with one token, one is believed',
  ['appView'],
  async (world) => {
    for (let round = 0; round < 5; round++) {
      const token = await world.appView.token(method.$nsid);
      const both = await Promise.all([isBelieved(world, token), isBelieved(world, token)]);
      assert.deepEqual(both.sort(), [false, true]);
    }
  },
);

serviceAuth.add('a token of a person for another method is refused', ['people'], async (world) => {
  const token = await world.people.author.token(getLatestCommit.$nsid);
  assert.equal(await isBelieved(world, token), false);
});

serviceAuth.add('a token of a person for another service is refused', ['people'], async (world) => {
  const lxm = method.$nsid;
  const audience = 'did:web:other.example';
  const token = await world.people.author.pds.serviceAuth({ audience, lxm });
  assert.equal(await isBelieved(world, token), false);
});

serviceAuth.add('a token of a person for an hour is refused', ['people'], async (world) => {
  const options = { audience: world.node.did, lxm: method.$nsid, lifetimeSeconds: 3_500 };
  assert.equal(await isBelieved(world, await world.people.author.pds.serviceAuth(options)), false);
});

serviceAuth.add(
  'a token for a fragment of the node’s DID is believed',
  ['appView'],
  async (world) => {
    const aud = `${world.node.did}#atproto_pns`;
    assert.ok(await isBelieved(world, await world.appView.forged(method.$nsid, { aud })));
  },
);

const WRONG: Record<string, (appView: AppView) => Promise<string>> = {
  'without a method': (v) => v.forged(method.$nsid, { lxm: undefined }),
  'with an empty method': (v) => v.forged(method.$nsid, { lxm: '' }),
  'for a method that begins like this one': (v) => v.forged(`${method.$nsid}Extra`),
  'for every method (*)': (v) => v.forged('*'),
  'without a number of its own (jti)': (v) => v.forged(method.$nsid, { jti: undefined }),
  'with an empty jti': (v) => v.forged(method.$nsid, { jti: '' }),
  'without a time of issue': (v) => v.forged(method.$nsid, { iat: undefined }),
  'without an expiry': (v) => v.forged(method.$nsid, { exp: undefined }),
  'that has expired': (v) => v.forged(method.$nsid, { iat: now() - 120, exp: now() - 60 }),
  'that was issued in the future': (v) =>
    v.forged(method.$nsid, { iat: now() + 300, exp: now() + 360 }),
  'that lives for more than 300 s': (v) => v.forged(method.$nsid, { exp: now() + 400 }),
  'that expires before it was issued': (v) =>
    v.forged(method.$nsid, { iat: now() + 20, exp: now() + 10 }),
  'without an audience': (v) => v.forged(method.$nsid, { aud: undefined }),
  'for several audiences': (v) => v.forged(method.$nsid, { aud: [v.node.did] }),
  'for a DID that begins like the node’s': (v) => v.forged(method.$nsid, { aud: `${v.node.did}x` }),
  'whose issuer has a fragment': (v) => v.forged(method.$nsid, { iss: `${v.did}#atproto` }),
  'whose issuer is no DID': (v) => v.forged(method.$nsid, { iss: 'https://example.com' }),
  'of the node itself, by another key': (v) => v.forged(method.$nsid, { iss: v.node.did }),
  'with alg none': (v) => v.forged(method.$nsid, {}, { alg: 'none' }),
  'with HS256': (v) => v.forged(method.$nsid, {}, { alg: 'HS256' }),
  'with the algorithm of another curve': (v) => v.forged(method.$nsid, {}, { alg: 'ES256' }),
  'of another type': (v) => v.forged(method.$nsid, {}, { typ: 'at+jwt' }),
  'by a key id other than #atproto': (v) => v.forged(method.$nsid, {}, { kid: '#other' }),
  'with critical extensions': (v) => v.forged(method.$nsid, {}, { crit: ['exp'] }),
  'signed by another key': (v) =>
    forge({
      claims: goodClaims(v.did, v.node.did, method.$nsid),
      key: SigningKey.generate('secp256k1'),
    }),
  'without a signature': (v) =>
    forge({
      claims: goodClaims(v.did, v.node.did, method.$nsid),
      key: v.key,
      signature: new Uint8Array(),
    }),
};

for (const [what, make] of Object.entries(WRONG)) {
  serviceAuth.add(`a token ${what} is refused`, ['appView'], async (world) => {
    assert.equal(await isBelieved(world, await make(world.appView)), false);
  });
}

serviceAuth.add('a token with a high-S signature is refused', ['appView'], async (world) => {
  const { appView, node } = world;
  const claims = goodClaims(appView.did, node.did, method.$nsid);
  const good = await forge({ claims, key: appView.key });
  const signature = Buffer.from(good.split('.')[2] ?? '', 'base64url');
  const order = appView.key.curve === 'secp256k1' ? SECP256K1_ORDER : undefined;
  if (!order) return;
  const high = await forge({ claims, key: appView.key, signature: highS(signature, order) });
  assert.equal(await isBelieved(world, high), false);
  assert.equal(await isBelieved(world, good), true);
});

serviceAuth.add('a token whose claims were changed is refused', ['appView'], async (world) => {
  const [header, , signature] = (await world.appView.token(method.$nsid)).split('.');
  const claims = goodClaims(world.appView.did, world.node.did, method.$nsid);
  const changed = Buffer.from(JSON.stringify(claims)).toString('base64url');
  assert.equal(await isBelieved(world, `${header}.${changed}.${signature}`), false);
});

serviceAuth.add('what is no token is refused', async (world) => {
  for (const token of ['x', 'a.b', 'a.b.c', 'e30.e30.e30', 'x'.repeat(9_000), NOBODY]) {
    assert.equal(await isBelieved(world, token), false, token.slice(0, 20));
  }
});

serviceAuth.add('a good token under another scheme is refused', ['appView'], async (world) => {
  const { appView } = world;
  assert.equal(await isBelieved(world, await appView.token(method.$nsid), 'Basic'), false);
});

serviceAuth.add('the access token of a PDS is refused', ['people'], async (world) => {
  assert.equal(await isBelieved(world, world.people.author.pds.accessToken), false);
});

serviceAuth.add('a refusal says how to do it (WWW-Authenticate)', async ({ node }) => {
  const answer = await node.call(getLatestCommit, { params: { did: NOBODY } });
  answer.refused(401, 'AuthRequired');
  assert.match(answer.headers.get('www-authenticate') ?? '', /Bearer|DPoP/);
});

serviceAuth.add('a token as a parameter of the URL is not looked at', ['people'], async (world) => {
  const { author } = world.people;
  const token = await author.token(getLatestCommit.$nsid);
  for (const name of ['access_token', 'token', 'syncToken', 'authorization']) {
    const params = { did: author.did, [name]: token };
    const answer = await world.node.call(getLatestCommit, { params });
    assert.ok([400, 401].includes(answer.status), `${name}: ${answer.status}`);
  }
});

function now(): number {
  return Math.floor(Date.now() / 1000);
}
