import { Prisma } from '@stratos/prisma';
import type { Did } from '@stratos/protocol';
import type { Transaction } from '../database.ts';
import { hideAll } from '../visibility/readers.ts';

/** Removes all that people had in a repo that is no more. */
export async function forgetRepos(
  tx: Transaction,
  nodeDid: Did,
  dids: readonly Did[],
): Promise<void> {
  if (dids.length === 0) return;
  await hideAll(tx, dids, nodeDid);
  for (const table of ['post', 'repo', 'proof', 'waiting_commit']) {
    await tx.$executeRaw`
      delete from ${Prisma.raw(`stratos_${table}`)}
      where node_did = ${nodeDid} and did = any(${[...dids]}::text[])`;
  }
}
