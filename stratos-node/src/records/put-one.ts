import type { AtUri, Cid, Did } from '@stratos/protocol';
import type { NodeContext } from '../context.ts';
import type { RepoRoot } from '../storage/actor-storage.ts';
import type { PutWrite, ValidationStatus } from './write.ts';
import { type WriteOptions, writeRecords } from './write-records.ts';

export interface PutAnswer {
  uri: AtUri;
  cid: Cid;
  commit?: RepoRoot;
  validationStatus: ValidationStatus;
}

/** Makes or replaces a single record. */
export async function putOne(
  ctx: NodeContext,
  author: Did,
  write: PutWrite,
  options: WriteOptions,
): Promise<PutAnswer> {
  const { commit, results } = await writeRecords(ctx, author, [write], options);
  const [result] = results;
  if (!result || result.action === 'delete') throw new Error('a record was written without result');
  const { uri, cid, validationStatus } = result;
  return { uri, cid, ...(commit && { commit }), validationStatus };
}
