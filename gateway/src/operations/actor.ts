import type { ProfileView, Visible } from '@stratos/schema';
import { revealProfile } from '../access/reveal-membership.ts';
import { actorDid } from '../feeds/actor.ts';
import { sharedBoundaries } from '../feeds/shared-boundaries.ts';
import { checkActor } from './check-input.ts';
import type { Request } from './request.ts';

export async function actor(
  request: Request,
  input: { actor: string },
): Promise<Visible<ProfileView> | null> {
  const name = checkActor(input.actor);
  const { scope, did, shared } = await request.read(async (transaction, scope) => {
    const did = await actorDid(transaction, name);
    return { scope, did, shared: await sharedBoundaries(transaction, scope, did) };
  });
  return revealProfile(scope, did, await request.authors.load(did), shared) ?? null;
}
