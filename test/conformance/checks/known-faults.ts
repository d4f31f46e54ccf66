import assert from 'node:assert/strict';
import { SigningKey, signAttestation } from '@stratos/protocol';
import { com, zone } from '@stratos/protocol/lexicons';
import { CheckGroup } from '../check.ts';
import { assertSame } from '../world/answer.ts';
import { claimsOf, isAttested } from '../world/attested.ts';
import { addressOf, postRecord, written } from '../world/person.ts';
import { forge, goodClaims, ProofKey } from '../world/token.ts';
import { WHOLE_REPO_METHODS } from './repos.ts';

const { getRecord, listRecords } = com.atproto.repo;
const { hydrateRecord, hydrateRecords } = zone.stratos.repo;
const { subscribeRecords, subscribeService } = zone.stratos.sync;
const { status } = zone.stratos.enrollment;
const collection = zone.stratos.feed.post.$nsid;

/** Faults of the first implementation, H1 to H12, none of which a node may have. */
export const knownFaults = new CheckGroup('known-faults', ['people']);

knownFaults.add(
  'H1: an access token that nobody signed is not believed',
  async ({ node, people }) => {
    const { author } = people;
    const key = new ProofKey();
    const method = com.atproto.sync.getLatestCommit;
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: author.pds.url,
      sub: author.did,
      aud: node.did,
      iat: now,
      exp: now + 600,
    };
    const bound = { ...claims, cnf: { jkt: key.thumbprint } };
    for (const [typ, each] of [
      ['at+jwt', bound],
      ['at+jwt', claims],
      ['JWT', claims],
    ] as const) {
      const token = await forge({
        header: { typ },
        claims: each,
        key: SigningKey.generate('P-256'),
      });
      const htu = new URL(`/xrpc/${method.$nsid}`, node.url).href;
      const dpop = await key.proof({ htm: 'GET', htu, token });
      for (const scheme of ['DPoP', 'Bearer']) {
        const answer = await node.call(method, {
          params: { did: author.did },
          authorization: `${scheme} ${token}`,
          headers: { dpop },
        });
        answer.refused(401, 'AuthRequired', 'use_dpop_nonce');
      }
    }
  },
);

knownFaults.add('H1: the DID of a person is no token', async ({ node, people }) => {
  const method = com.atproto.sync.getLatestCommit;
  const { did } = people.author;
  const answer = await node.call(method, { params: { did }, authorization: `Bearer ${did}` });
  answer.refused(401, 'AuthRequired');
});

knownFaults.add(
  'H2: no method about a repo as a whole is open to strangers',
  async ({ node, people }) => {
    for (const [method, param] of WHOLE_REPO_METHODS) {
      const answer = await node.call(method, { params: { [param]: people.author.did } });
      answer.refused(401, 'AuthRequired');
    }
  },
);

knownFaults.add('H2: neither is the proof of a record', async ({ node, people }) => {
  const { uri } = await people.author.post([people.shared]);
  const { repo: did, ...rest } = addressOf(uri);
  const answer = await node.call(com.atproto.sync.getRecord, { params: { did, ...rest } });
  answer.refused(401, 'AuthRequired');
});

knownFaults.add(
  'H3: no record without boundaries is taken, by any way of writing',
  async ({ people }) => {
    const { author } = people;
    const rkey = '3jzfcijpj2zzt';
    const record = postRecord('For everybody?', []);
    (await author.create(record)).refused(400, 'InvalidRecord');
    (await author.put(rkey, record)).refused(400, 'InvalidRecord');
    (await author.create(record, { validate: false })).refused(400, 'InvalidRecord');
    const write = { $type: com.atproto.repo.applyWrites.create.$type, collection, value: record };
    (await author.apply([write], { validate: false })).refused(400, 'InvalidRecord');
  },
);

knownFaults.add('H3: strangers see no record at all', async ({ node, people }) => {
  const { uri } = await people.author.post([people.shared]);
  const { repo } = addressOf(uri);
  (await node.call(getRecord, { params: addressOf(uri) })).refused(404, 'RecordNotFound');
  const list = await node.call(listRecords, { params: { repo, collection } });
  assert.ok(list.status === 401 || !list.text.includes(uri));
});

knownFaults.add('H4: hydration does not tell hidden from absent', async ({ people }) => {
  const { uri } = await people.author.post([people.shared]);
  const absent = uri.replace(/[^/]+$/, '3jzfcijpj2zzs');
  const { outsider } = people;
  assertSame(
    await outsider.query(hydrateRecord, { uri }),
    await outsider.query(hydrateRecord, { uri: absent }),
  );
  const answer = await outsider.procedure(hydrateRecords, { uris: [uri, absent] });
  assert.deepEqual(answer.json, { records: [], notFound: [uri, absent], blocked: [] });
});

knownFaults.add('H5: a list tells nothing of how much it hides', ['operator'], async (world) => {
  const { author, member, shared } = world.people;
  const other = world.otherBoundary;
  await world.withBoundaries(author, [shared, other]);
  const list = async () => {
    const params = { repo: author.did, collection, limit: 2 };
    return member.query(listRecords, params);
  };
  for (const text of ['one', 'two', 'three']) await author.post([shared], text);
  const before = await list();
  await author.post([other], 'Hidden, and newer than all of them');
  await author.post([other], 'Hidden too');
  assertSame(before, await list());
});

knownFaults.add(
  'H6: a token without method, number or time is not believed',
  ['appView'],
  async (world) => {
    const { node, appView, people } = world;
    const params = { did: people.author.did };
    for (const missing of ['lxm', 'jti', 'iat', 'exp', 'aud', 'iss']) {
      const token = await appView.forged(status.$nsid, { [missing]: undefined });
      const answer = await node.call(status, { params, authorization: `Bearer ${token}` });
      answer.refused(401, 'AuthRequired');
    }
  },
);

knownFaults.add(
  'H6: only the key #atproto of an issuer speaks for them',
  ['appView'],
  async (world) => {
    const { node, appView, people } = world;
    const claims = goodClaims(appView.did, node.did, status.$nsid);
    for (const kid of ['#atproto_label', '#atproto_pns', `${appView.did}#other`]) {
      const token = await forge({ header: { kid }, claims, key: appView.key });
      const params = { did: people.author.did };
      const answer = await node.call(status, { params, authorization: `Bearer ${token}` });
      answer.refused(401, 'AuthRequired');
    }
  },
);

knownFaults.add(
  'H7: a filtered stream loses neither deletions nor moves',
  ['operator', 'appView'],
  async (world) => {
    const { author, shared } = world.people;
    const other = world.otherBoundary;
    await world.withBoundaries(author, [shared, other]);
    const [first, second] = [await author.post([shared]), await author.post([shared], 'Second')];
    const authorization = await world.appView.authorization(subscribeRecords.$nsid);
    const stream = world.open(subscribeRecords, { did: author.did, domain: shared }, authorization);
    (await author.delete(first.rkey)).ok();
    written(await author.put(second.rkey, postRecord('Moved', [other])));
    const actions = () =>
      stream
        .of<zone.stratos.sync.subscribeRecords.Commit>('#commit')
        .flatMap(({ ops }) => ops.map(({ action, path }) => `${action} ${path}`));
    const wanted = [`delete ${collection}/${first.rkey}`, `update ${collection}/${second.rkey}`];
    await stream.until('deletion and move', () => wanted.every((each) => actions().includes(each)));
  },
);

knownFaults.add('H7: who leaves is cut off from an open stream', ['newcomer'], async (world) => {
  const { person, enroll } = world.newcomer;
  const { unenroll } = zone.stratos.enrollment;
  await enroll();
  world.afterwards(async () => {
    if ((await person.status()).enrolled) await person.procedure(unenroll, {});
  });
  const { boundaries = [] } = await person.status();
  const { author, member } = world.people;
  const authorization = await person.authorization(subscribeRecords.$nsid);
  const others = world.open(subscribeRecords, { did: author.did }, authorization);
  assert.match(await others.end(), /^(RepoNotFound|AuthRequired|401|404)$/);
  const { uri } = await author.post([world.people.shared]);
  if (boundaries.some(({ value }) => value === world.people.shared)) {
    assert.equal((await person.read(uri)).status, 200);
  }
  (await person.procedure(unenroll, {})).ok();
  (await person.read(uri)).refused(404, 'RecordNotFound');
  assert.equal((await member.read(uri)).status, 200);
});

knownFaults.add(
  'H8: an attestation of before holds for what is true now no longer',
  ['operator'],
  async (world) => {
    const { author } = world.people;
    const before = await author.status();
    assert.ok(isAttested(before, before, world.node.keys));
    await world.withBoundaries(author, []);
    assert.equal(isAttested(await author.status(), before, world.node.keys), false);
  },
);

knownFaults.add(
  'H8: the newest word about a person is a number, in a chain',
  ['operator', 'appView'],
  async (world) => {
    const { author } = world.people;
    const authorization = await world.appView.authorization(subscribeService.$nsid);
    const stream = world.open(subscribeService, {}, authorization);
    await stream.until('a heartbeat', () => stream.of('#heartbeat').length > 0);
    await world.withBoundaries(author, []);
    await stream.until('the membership', () => stream.of('#membership').length > 0);
    const before = Number(stream.of('#heartbeat')[0]?.['membershipSeq']);
    const later = () =>
      stream.of('#heartbeat').some((each) => Number(each['membershipSeq']) > before);
    await stream.until('a heartbeat that counts it', later);
  },
);

knownFaults.add('H9: what the lexicon forbids is refused, not written', async ({ people }) => {
  const { author, shared } = people;
  const bad = { ...postRecord('x', [shared]), langs: ['not a language', 'x', 'y', 'z'] };
  (await author.create(bad)).refused(400, 'InvalidRecord');
  (await author.put('3jzfcijpj2zzr', bad)).refused(400, 'InvalidRecord');
});

knownFaults.add(
  'H10: nothing is missing between two visits to the stream',
  ['appView'],
  async (world) => {
    const { author, shared } = world.people;
    const nsid = subscribeService.$nsid;
    const first = world.open(subscribeService, {}, await world.appView.authorization(nsid));
    await first.until('a heartbeat', () => first.of('#heartbeat').length > 0);
    const cursor = Number(first.of('#heartbeat')[0]?.['seq']);
    await first[Symbol.asyncDispose]();
    const revs: string[] = [];
    for (let i = 0; i < 5; i++) revs.push((await author.post([shared], `Post ${i}`)).commit.rev);
    const second = world.open(
      subscribeService,
      { cursor },
      await world.appView.authorization(nsid),
    );
    const seen = () => second.of('#commit').map(({ rev }) => rev);
    await second.until('all five', () => seen().length >= 5);
    assert.deepEqual(seen(), revs);
  },
);

knownFaults.add('H11: no secret opens a stream by its URL', ['operator'], async (world) => {
  const { author } = world.people;
  const password = world.operator.bearer.slice('Bearer '.length);
  const token = await author.token(subscribeRecords.$nsid);
  for (const syncToken of [password, token, author.did]) {
    const stream = world.open(subscribeRecords, { did: author.did, syncToken });
    assert.match(await stream.end(), /^(AuthRequired|401)$/);
    assert.deepEqual(stream.of('#commit'), []);
  }
});

knownFaults.add(
  'H12: the key of an attestation is one of the DID document',
  async ({ node, people }) => {
    const { attestation } = await people.author.status();
    assert.ok(node.keys.some((key) => key === attestation?.signingKey));
  },
);

knownFaults.add(
  'H12: an attestation by a key of its own does not hold',
  async ({ node, people }) => {
    const own = await people.author.status();
    const forged = await signAttestation(claimsOf(own), SigningKey.generate('secp256k1'));
    assert.equal(isAttested(own, { ...own, attestation: forged }, node.keys), false);
  },
);
