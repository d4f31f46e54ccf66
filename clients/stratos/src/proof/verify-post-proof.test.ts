import { encode } from '@atproto/lex-cbor';
import {
  decodeCanonicalMap,
  encodeRecord,
  readMembershipEntry,
  SigningKey,
  signMembershipEntry,
} from '@stratos/protocol';
import { describe, expect, test } from 'vitest';
import { base64, documentOf, NODE, type ProvenPost, provenPost } from '../testing/proven-post.ts';
import type { PostProof } from './post-proof.ts';
import { verifyPostProof } from './verify-post-proof.ts';

const PROVEN = {
  isProven: true,
  record: 'proven',
  inclusion: 'proven',
  commit: 'proven',
  membership: 'proven',
  stub: 'proven',
};
/** So many proofs have all of their bytes changed; 1,000 by `PROOFS=1000`. */
const PROOFS = Number(process.env['PROOFS'] ?? 2);

const bytesOf = (text: unknown) => Buffer.from(String(text), 'base64');

async function verdictOn({ proof, options }: ProvenPost, changes: Partial<PostProof>) {
  return verifyPostProof({ ...proof, ...changes }, options);
}

test('a proof holds, and says what the record says', async () => {
  const { proof, options } = await provenPost();
  const value = {
    $type: 'zone.stratos.feed.post',
    text: 'meow',
    langs: ['en'],
    more: { n: -70_000 },
  };
  expect(await verifyPostProof(proof, options)).toEqual({ ...PROVEN, value });
});

test('bytes are taken as the JSON of AT Protocol has them, too', async () => {
  const { proof, options } = await provenPost();
  const asJson = (text: unknown) => ({ $bytes: String(text).replace(/=+$/, '') });
  const { record, commit, membership } = proof;
  const sent = {
    ...proof,
    record: asJson(record),
    commit: asJson(commit),
    membership: asJson(membership),
  };
  expect(await verifyPostProof(sent, options)).toMatchObject(PROVEN);
});

describe('without a statement of the node', () => {
  test('nothing says whose key it is', async () => {
    const verdict = await verdictOn(await provenPost(), { membership: null, stubCid: null });
    expect(verdict).toEqual({
      ...PROVEN,
      isProven: false,
      membership: 'not-given',
      stub: 'not-given',
      value: undefined,
    });
  });

  test('the key that was expected does', async () => {
    const { proof, options, repo } = await provenPost();
    const ask = (signingKey: string) =>
      verifyPostProof(
        { ...proof, membership: null },
        { ...options, expect: { ...options.expect, signingKey } },
      );
    expect(await ask(repo.key.did())).toMatchObject({ isProven: true, membership: 'not-given' });
    const another = SigningKey.generate('P-256').did();
    expect(await ask(another)).toMatchObject({ isProven: false, commit: 'failed' });
  });
});

describe('each step fails by itself', () => {
  test('record: other bytes, another address, another CID', async () => {
    const post = await provenPost();
    const { bytes, cid } = await encodeRecord({ text: 'woof' });
    const failed = { isProven: false, record: 'failed', value: undefined };
    expect(await verdictOn(post, { record: base64(bytes) })).toMatchObject(failed);
    expect(await verdictOn(post, { cid })).toMatchObject(failed);
    expect(await verdictOn(post, { uri: `${post.proof.uri}2` })).toMatchObject(failed);
  });

  test('inclusion: a record that another commit has', async () => {
    const post = await provenPost();
    const { cid, bytes } = await encodeRecord({ text: 'woof' });
    const expected = { ...post.options.expect, cid };
    const verdict = await verifyPostProof(
      { ...post.proof, cid, record: base64(bytes), stubCid: cid },
      { ...post.options, expect: expected },
    );
    expect(verdict).toMatchObject({ ...PROVEN, isProven: false, inclusion: 'failed' });
  });

  test('commit: signed by somebody else, or of another repo', async () => {
    const post = await provenPost();
    const another = await provenPost();
    const { commit } = another.proof;
    expect(await verdictOn(post, { commit })).toMatchObject({ commit: 'failed' });
    const [, ...rkey] = post.options.expect.uri.split('author');
    const uri = ['at://did:plc:editor', ...rkey].join('');
    const verdict = await verifyPostProof(
      { ...post.proof, uri },
      { ...post.options, expect: { ...post.options.expect, uri } },
    );
    expect(verdict).toMatchObject({ record: 'proven', commit: 'failed' });
  });

  test('membership: what is signed by another, of another node, of somebody who left', async () => {
    const post = await provenPost();
    const { entry } = readMembershipEntry(bytesOf(post.proof.membership));
    const states = async (changes: Partial<typeof entry>, key = post.nodeKey) => {
      const { bytes } = await signMembershipEntry({ ...entry, ...changes }, key);
      const { membership } = await verdictOn(post, { membership: base64(bytes) });
      return membership;
    };
    expect(await states({})).toBe('proven');
    expect(await states({}, SigningKey.generate('secp256k1'))).toBe('failed');
    expect(await states({ active: false })).toBe('failed');
    expect(await states({ did: NODE })).toBe('failed');
    expect(await states({ service: entry.did })).toBe('failed');
    expect(await states({ signingKey: post.nodeKey.did() })).toBe('failed');
  });

  test('membership: a field that is not of a statement', async () => {
    const post = await provenPost();
    const { sig: _, ...fields } = decodeCanonicalMap(bytesOf(post.proof.membership));
    const more = { ...fields, also: true };
    const bytes = encode({ ...more, sig: await post.nodeKey.sign(encode(more)) });
    const verdict = await verdictOn(post, { membership: base64(bytes) });
    expect(verdict).toMatchObject({ isProven: false, membership: 'failed' });
  });

  test('membership: another node, even without a statement', async () => {
    const post = await provenPost();
    const node = 'did:web:other.test';
    const failed = { isProven: false, membership: 'failed' };
    expect(await verdictOn(post, { node })).toMatchObject(failed);
    expect(await verdictOn(post, { node, membership: null })).toMatchObject(failed);
  });

  test('stub: it names another record', async () => {
    const { cid } = await encodeRecord({ text: 'woof' });
    expect(await verdictOn(await provenPost(), { stubCid: cid })).toMatchObject({
      ...PROVEN,
      isProven: false,
      stub: 'failed',
      value: undefined,
    });
  });
});

test('a key that the node had before is as good, when the caller knows of it', async () => {
  const { proof, options, nodeKey } = await provenPost();
  const node = documentOf(NODE, SigningKey.generate('secp256k1'));
  expect(await verifyPostProof(proof, { ...options, node })).toMatchObject({
    membership: 'failed',
  });
  const formerNodeKeys = [nodeKey.did()];
  expect(await verifyPostProof(proof, { ...options, node, formerNodeKeys })).toMatchObject(PROVEN);
});

test('keys of other kinds in the DID document have signed nothing', async () => {
  const { proof, options } = await provenPost();
  const ed25519 = {
    type: 'Multikey',
    publicKeyMultibase: 'z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK',
  };
  const node = {
    ...options.node,
    verificationMethod: [ed25519, ...(options.node.verificationMethod ?? [])],
  };
  expect(await verifyPostProof(proof, { ...options, node })).toMatchObject(PROVEN);
  node.verificationMethod.pop();
  expect(await verifyPostProof(proof, { ...options, node })).toMatchObject({
    membership: 'failed',
  });
});

test('nodes of the tree that are not on the way are refused', async () => {
  const post = await provenPost({ others: 200 });
  const { cid } = await encodeRecord({ text: 'woof' });
  const { car } = await post.repo.commit([
    ['zone.stratos.feed.post/beside', cid],
    ['a.b.c/d', cid],
  ]);
  const { commit } = post.proof;
  const more = Buffer.concat([bytesOf(commit), bytesOf(base64(car)).subarray(59)]);
  expect(await verdictOn(post, { commit: base64(more) })).toMatchObject({ inclusion: 'failed' });
});

test('what is no proof at all fails, and throws nothing', async () => {
  const post = await provenPost();
  const deep = base64(new Uint8Array(100_000).fill(0x81));
  for (const nonsense of ['', 'A', '!', deep, base64(encode({ a: 1 })), { $bytes: 'x' }]) {
    const verdict = await verdictOn(post, {
      record: nonsense,
      commit: nonsense,
      membership: nonsense,
      signingKey: 'did:key:z1',
    });
    expect(verdict).toMatchObject({
      isProven: false,
      record: 'failed',
      inclusion: 'failed',
      commit: 'failed',
      membership: 'failed',
    });
  }
});

test(`no byte of a proof can be changed (${PROOFS} proofs)`, { timeout: 3_600_000 }, async () => {
  for (let i = 0; i < PROOFS; i++) {
    const post = await provenPost({ others: i % 60, text: `meow ${i}` });
    for (const name of ['record', 'commit', 'membership'] as const) {
      const bytes = bytesOf(post.proof[name]);
      for (let at = 0; at < bytes.length; at++) {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ (1 + Math.floor(Math.random() * 255));
        const { isProven } = await verdictOn(post, { [name]: base64(changed) });
        expect(isProven, `byte ${at} of ${name} of proof ${i}`).toBe(false);
      }
    }
    for (const name of [
      'uri',
      'cid',
      'node',
      'signingKey',
      'stubCid',
      'record',
      'commit',
      'membership',
    ] as const) {
      const text = String(post.proof[name]);
      const steps = Math.max(1, Math.floor(text.length / 100));
      for (let at = 0; at < text.length; at += steps) {
        const letter = text[at] === 'x' ? 'y' : 'x';
        const changed = text.slice(0, at) + letter + text.slice(at + 1);
        const { isProven } = await verdictOn(post, { [name]: changed });
        expect(isProven, `letter ${at} of ${name} of proof ${i}`).toBe(false);
      }
    }
  }
});
