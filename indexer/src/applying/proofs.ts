import type { Cid, Did, DidKey, Tid } from '@stratos/protocol';
import type { Transaction } from '../database.ts';

/** What shows that records were in a person's signed repo. */
export interface Proof {
  did: Did;
  rev: Tid;
  commit: Cid;
  signingKey: DidKey;
  /** CAR with the commit and nodes of its tree. */
  car: Uint8Array;
}

export interface ProofKey {
  did: string;
  /** Null of what was written before proofs were kept. */
  rev: string | null;
}

/** Writes proofs, before the posts that name them. */
export async function writeProofs(
  tx: Transaction,
  nodeDid: Did,
  proofs: readonly Proof[],
): Promise<void> {
  if (proofs.length === 0) return;
  const rows = proofs.map(({ car, signingKey, ...proof }) => ({
    ...proof,
    signing_key: signingKey,
    car: Buffer.from(car.buffer, car.byteOffset, car.length).toString('base64'),
  }));
  await tx.$executeRaw`
    insert into stratos_proof (did, node_did, rev, commit, signing_key, car)
    select did, ${nodeDid}, rev, commit, signing_key, decode(car, 'base64')
    from json_to_recordset(${JSON.stringify(rows)}::json)
      as proof(did text, rev text, commit text, signing_key text, car text)
    on conflict (did, node_did, rev) do update set
      commit = excluded.commit, signing_key = excluded.signing_key, car = excluded.car`;
}

/** The proofs of posts as they are stored. */
export async function proofsOf(
  tx: Transaction,
  nodeDid: Did,
  uris: readonly string[],
): Promise<ProofKey[]> {
  if (uris.length === 0) return [];
  return tx.$queryRaw<ProofKey[]>`
    select distinct did, proof_rev as rev from stratos_post
    where uri = any(${[...uris]}::text[]) and node_did = ${nodeDid}`;
}

/** Removes those of some proofs that show nothing any more. */
export async function removeUnusedProofs(
  tx: Transaction,
  nodeDid: string,
  proofs: readonly ProofKey[],
): Promise<void> {
  const named = proofs.filter(({ rev }) => rev !== null);
  if (named.length === 0) return;
  await tx.$executeRaw`
    delete from stratos_proof proof
    using json_to_recordset(${JSON.stringify(named)}::json) as named(did text, rev text)
    where proof.did = named.did and proof.node_did = ${nodeDid} and proof.rev = named.rev
      and not exists (
        select from stratos_post post
        where post.did = proof.did and post.node_did = proof.node_did
          and post.proof_rev = proof.rev
      )`;
}
