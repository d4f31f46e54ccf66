import {
  blocksToCarFile,
  MemoryBlockstore,
  type RecordCreateOp,
  Repo,
  WriteOpAction,
} from '@atproto/repo';
import { describe, expect, it } from 'vitest';
import { FrameBlocks } from '../frame-blocks.ts';
import { toCid, toDid } from '../identifiers.ts';
import { SigningKey } from '../signing-key.ts';
import { pathTo } from '../tree/index.ts';
import { ProofCar } from './proof-car.ts';
import { RepoProof } from './repo-proof.ts';

const did = toDid('did:plc:z72i7hdynmk6r22z27h6tvur');
const collection = 'zone.stratos.feed.post';
const key = SigningKey.generate('P-256');

/** A repo of a thousand records, and a proof of one of them. */
async function proofOf(path: string) {
  const writes = Array.from({ length: 1_000 }, (_, i): RecordCreateOp => {
    const rkey = `3k${String(i).padStart(5, '0')}`;
    return { action: WriteOpAction.Create, collection, rkey, record: { text: `text ${i}` } };
  });
  const storage = new MemoryBlockstore();
  const { cid, newBlocks } = await Repo.formatInitCommit(storage, did, key, writes);
  const blocks = await FrameBlocks.read(await blocksToCarFile(cid, newBlocks), 1);
  const { data } = await Repo.load(new MemoryBlockstore(newBlocks), cid);
  const found = await pathTo(blocks, (await data.getPointer()).bytes, path);
  const car = new ProofCar(toCid(cid.toString()));
  car.add(cid.bytes, blocks.get(cid.bytes) ?? new Uint8Array());
  for (const node of found?.nodes ?? []) car.add(...node);
  return { car: car.bytes(), expected: await data.get(path) };
}

describe('RepoProof', () => {
  it('shows the CID of what it was made for, and of nothing that it does not lead to', async () => {
    const path = `${collection}/3k00500`;
    const { car, expected } = await proofOf(path);
    const proof = await RepoProof.read(car, { did, signingKeys: [key.did()] });
    expect(proof.repo).toMatchObject({ did, signingKey: key.did() });
    expect(await proof.cidAt(path)).toBe(expected?.toString());
    await expect(proof.cidAt(`${collection}/3k00001`)).rejects.toMatchObject({
      reason: 'not-included',
    });
  });

  it('refuses what somebody else signed, is of somebody else, or was changed', async () => {
    const { car } = await proofOf(`${collection}/3k00500`);
    const reason = (options: { did?: string; signingKeys?: string[]; bytes?: Uint8Array }) => {
      const { bytes = car, ...rest } = options;
      const read = RepoProof.read(bytes, { did, signingKeys: [key.did()], ...rest } as never);
      return read.then(
        () => undefined,
        (error) => error.reason,
      );
    };
    const other = SigningKey.generate('P-256').did();
    expect(await reason({ signingKeys: [other] })).toBe('bad-signature');
    expect(await reason({ did: 'did:plc:another' })).toBe('wrong-actor');
    const changed = car.slice();
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
    expect(await reason({ bytes: changed })).toBe('wrong-cid');
    expect(await reason({ bytes: car.subarray(0, 200) })).toBe('malformed');
  });
});
