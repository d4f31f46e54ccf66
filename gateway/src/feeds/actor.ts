import { type Did, isDid } from '@stratos/protocol';
import type { Transaction } from './skeleton.ts';

/** The DID of an actor that is named by DID or handle; undefined when nobody has the handle. */
export async function actorDid(transaction: Transaction, actor: string): Promise<Did | undefined> {
  if (isDid(actor)) return actor;
  const found = await transaction.actor.findFirst({
    where: { handle: actor.toLowerCase() },
    orderBy: { updatedAt: 'desc' },
    select: { did: true },
  });
  return isDid(found?.did) ? found.did : undefined;
}
