import { nodeDidDocument } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { expect, it, vi } from 'vitest';
import { provenEntries } from '../testing/proven-entries.ts';
import {
  AEKEA,
  NODE_DID,
  postRecord,
  SWORDSMITH,
  TestNode,
  TestPerson,
} from '../testing/test-node.ts';

const { addBoundary, removeBoundary, setBoundaries } = zone.stratos.admin;
const rei = TestPerson.named('rei');
const sakura = TestPerson.named('sakura');

it('is a chain of signed statements, one for each change', async () => {
  await using node = await TestNode.start({ people: [rei, sakura] });
  await node.enroll(rei, [SWORDSMITH]);
  await node.enroll(sakura, [SWORDSMITH]);
  await node.operator(addBoundary.$nsid, { did: rei.did, boundary: AEKEA });
  await node.operator(addBoundary.$nsid, { did: rei.did, boundary: AEKEA });
  await node.operator(removeBoundary.$nsid, { did: sakura.did, boundary: SWORDSMITH });
  await node.operator(setBoundaries.$nsid, { did: sakura.did, boundaries: [AEKEA, SWORDSMITH] });
  const entries = await provenEntries(node);
  expect(entries.map(({ seq, did, boundaries }) => [seq, did, boundaries])).toEqual([
    [1, rei.did, [SWORDSMITH]],
    [2, sakura.did, [SWORDSMITH]],
    [3, rei.did, [AEKEA, SWORDSMITH]],
    [4, sakura.did, []],
    [5, sakura.did, [AEKEA, SWORDSMITH]],
  ]);
  const key = (await node.ctx.service.enrollments.get(rei.did))?.signingKey;
  expect(entries[0]?.signingKey).toBe(key);
});

it('puts a write that was not published yet before the change', async () => {
  await using node = await TestNode.start({ people: [rei] });
  await node.enroll(rei, [SWORDSMITH]);
  vi.spyOn(node.ctx.publisher, 'publish').mockRejectedValueOnce(new Error('the disk is full'));
  expect((await node.tryPost(rei, postRecord('half done'))).status).toBe(500);
  await node.operator(removeBoundary.$nsid, { did: rei.did, boundary: SWORDSMITH });
  const kinds = (await node.ctx.service.events.after(0, 100)).map(({ kind }) => kind);
  expect(kinds).toEqual(['membership', 'commit', 'commit', 'membership']);
});

it('stays a chain when many things happen at once', async () => {
  const people = Array.from({ length: 6 }, (_, i) => TestPerson.named(`person${'abcdef'[i]}`));
  await using node = await TestNode.start({ people });
  await Promise.all(people.map((person) => node.enroll(person, [SWORDSMITH])));
  await Promise.all(
    people.map(({ did }) => node.operator(addBoundary.$nsid, { did, boundary: AEKEA })),
  );
  expect(await provenEntries(node)).toHaveLength(12);
});

it('refuses changes for strangers and to what is no boundary of the node', async () => {
  await using node = await TestNode.start({ people: [rei] });
  const unknown = await node.operator(addBoundary.$nsid, { did: rei.did, boundary: AEKEA });
  expect([unknown.status, (await unknown.json()).error]).toEqual([404, 'NotFound']);
  await node.enroll(rei, [SWORDSMITH]);
  for (const boundary of [`${NODE_DID}/unknown`, 'did:web:elsewhere.com/aekea', 'A B']) {
    const response = await node.operator(addBoundary.$nsid, { did: rei.did, boundary });
    expect([response.status, (await response.json()).error]).toEqual([400, 'InvalidBoundary']);
  }
});

it('publishes the key that signs it', async () => {
  await using node = await TestNode.start();
  const document = await (await fetch(`${node.url}/.well-known/did.json`)).json();
  const signingKey = node.ctx.nodeKey.did();
  const publicUrl = node.ctx.config.publicUrl;
  expect(document).toEqual(nodeDidDocument({ did: NODE_DID, publicUrl, signingKey }));
});
