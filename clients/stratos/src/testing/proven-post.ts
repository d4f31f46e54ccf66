import {
  encodeRecord,
  qualifyBoundary,
  recordUri,
  SigningKey,
  signMembershipEntry,
  toDid,
} from '@stratos/protocol';
import { SignedRepo } from '@stratos/protocol/testing';
import type { PostProof } from '../proof/post-proof.ts';
import type { VerifyPostProofOptions } from '../proof/verify-post-proof.ts';

export const NODE = toDid('did:web:node.test');
export const AUTHOR = toDid('did:plc:author2222222222222222222');
const COLLECTION = 'zone.stratos.feed.post';

export interface ProvenPost {
  proof: Required<PostProof> & { membership: string };
  options: VerifyPostProofOptions;
  nodeKey: SigningKey;
  repo: SignedRepo;
}

/** A post in a signed repo beside others, with all that shows it. */
export async function provenPost({ others = 40, text = 'meow' } = {}): Promise<ProvenPost> {
  const nodeKey = SigningKey.generate('secp256k1');
  const repo = new SignedRepo(AUTHOR);
  const record = await encodeRecord({
    $type: COLLECTION,
    text,
    langs: ['en'],
    more: { n: -70_000 },
  });
  const { cid: other } = await encodeRecord({ text: 'another' });
  await repo.commit(Array.from({ length: others }, (_, i) => [`${COLLECTION}/other${i}`, other]));
  const commit = await repo.commit([[`${COLLECTION}/mine`, record.cid]]);
  const { bytes: membership } = await signMembershipEntry(
    {
      seq: 300,
      prev: other,
      service: NODE,
      did: AUTHOR,
      active: true,
      boundaries: [qualifyBoundary(NODE, 'open')],
      signingKey: repo.key.did(),
      issuedAt: new Date('2026-01-01T00:00:00Z'),
    },
    nodeKey,
  );
  const uri = recordUri(AUTHOR, COLLECTION, 'mine');
  return {
    repo,
    nodeKey,
    proof: {
      uri,
      cid: record.cid,
      node: NODE,
      record: base64(record.bytes),
      commit: base64(commit.car),
      signingKey: commit.signingKey,
      membership: base64(membership),
      stubCid: record.cid,
    },
    options: { expect: { uri, cid: record.cid }, node: documentOf(NODE, nodeKey) },
  };
}

export function documentOf(id: string, key: SigningKey) {
  const publicKeyMultibase = key.did().slice('did:key:'.length);
  return { id, verificationMethod: [{ type: 'Multikey', publicKeyMultibase }] };
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
