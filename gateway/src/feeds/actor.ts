import { Prisma } from '@stratos/prisma';
import { type Did, isDid, toDid } from '@stratos/protocol';
import type { Transaction } from './skeleton.ts';

/** The DID of nobody, for whom the same is looked up as for somebody. */
export const NOBODY = toDid('did:web:nobody.invalid');

/** The DID of an actor that is named by DID or handle; that of {@link NOBODY} when nobody has the handle. */
export async function actorDid(transaction: Transaction, actor: string): Promise<Did> {
  if (isDid(actor)) return actor;
  const [found] = await transaction.$queryRaw<{ did: string }[]>(Prisma.sql`
    select did from stratos_actor
    where handle = ${actor.toLowerCase()}
    order by updated_at desc
    limit 1`);
  return isDid(found?.did) ? found.did : NOBODY;
}
