import { type Cid, type Did, openRepo, type Tid } from '@stratos/protocol';
import type { NodeContext } from '../context.ts';
import { enrolled } from '../records/enrolled.ts';
import type { BoundaryMapping } from './boundary-mapping.ts';
import { ImportSpool } from './import-spool.ts';
import { provenOrInvalid } from './invalid-car.ts';
import { prepareRecords } from './prepare-records.ts';
import { sourceKeys } from './source-keys.ts';
import { writeImport } from './write-import.ts';

export interface ImportOptions {
  /** The node that the CAR comes from. */
  source: Did;
  mapping: BoundaryMapping;
}

export interface Imported {
  /** Records. */
  imported: number;
  commit: Cid;
  rev: Tid;
}

/**
 * Fills a person's empty repo from a CAR of their repo, of this or of another node: all of it, or
 * nothing. Whoever repeats an import that was carried out is answered as before.
 *
 * @throws {@link NodeError} `InvalidCar`, `RepoAlreadyExists`, `NotEnrolled`, or what the write of one
 * of the records would have thrown
 */
export async function importRepo(
  ctx: NodeContext,
  did: Did,
  car: AsyncIterable<Uint8Array>,
  { source, mapping }: ImportOptions,
): Promise<Imported> {
  const author = await enrolled(ctx, did);
  await ctx.writeRate.take(did);
  using spool = new ImportSpool(ctx.config.dataDir);
  const records = await provenOrInvalid(async () => {
    const root = await spool.take(car);
    const signingKeys = await sourceKeys(ctx, did, source);
    const repo = await openRepo(spool, root, { did, signingKeys });
    return prepareRecords(ctx, spool, repo, { author, source, mapping });
  });
  return await ctx.locks.run(did, () => writeImport(ctx, author, spool, records));
}
