import { jsonToLex } from '@atproto/lex-json';
import { type AtUri, ProofError, parseAtUri, RepoProof } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { postRecord, SWORDSMITH, TestNode, TestPerson } from '../../../../testing/test-node.ts';

const { hydrateRecords } = zone.stratos.repo;
const rei = TestPerson.named('rei');
const sakura = TestPerson.named('sakura');

let node: TestNode;
let uris: AtUri[];
beforeAll(async () => {
  node = await TestNode.start({ people: [rei, sakura] });
  await node.enroll(rei, [SWORDSMITH]);
  await node.enroll(sakura, [SWORDSMITH]);
  const created = [
    await node.createPost(rei, postRecord('one')),
    await node.createPost(sakura, postRecord('two')),
  ];
  uris = created.map(({ uri }) => uri as AtUri);
});
afterAll(() => node[Symbol.asyncDispose]());

async function hydrate(caller: TestPerson, proof?: boolean) {
  const response = await node.procedure(caller, hydrateRecords.$nsid, { uris, proof });
  return hydrateRecords.$output.schema.parse(jsonToLex(await response.json()));
}

it('shows an AppView that records are in the signed repos, and how far the log of members is', async () => {
  const { records, membershipSeq } = await hydrate(node.appView, true);
  expect(records.map(({ uri }) => uri)).toEqual(uris);
  expect(membershipSeq).toBe((await node.ctx.service.memberships.head())?.seq);
  for (const { uri, cid, proof = new Uint8Array() } of records) {
    const { did, collection, rkey } = parseAtUri(uri as AtUri);
    const key = (await node.ctx.service.enrollments.get(did))?.signingKey;
    if (!key) throw new Error('enrolled people have a key');
    const shown = await RepoProof.read(proof, { did, signingKeys: [key] });
    expect(await shown.cidAt(`${collection}/${rkey}`)).toBe(cid);
    const other = { did: sakura.did === did ? rei.did : sakura.did, signingKeys: [key] };
    await expect(RepoProof.read(proof, other)).rejects.toThrow(ProofError);
  }
});

it.each([
  ['an AppView that does not ask for them', () => node.appView, undefined],
  ['a member', () => sakura, true],
] as const)('gives no proofs to %s', async (_, caller, proof) => {
  const { records, membershipSeq } = await hydrate(caller(), proof);
  expect(records.map((record) => record.proof)).toEqual([undefined, undefined]);
  expect(membershipSeq).toBeUndefined();
});
