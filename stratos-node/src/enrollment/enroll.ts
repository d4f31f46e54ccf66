import {
  type Boundary,
  type Did,
  type DidKey,
  enrollmentRkey,
  sortedBoundaries,
} from '@stratos/protocol';
import type { NodeContext } from '../context.ts';
import { firstCommit } from '../repo/build-commit.ts';
import { isTakenDown } from './is-taken-down.ts';
import { appendMembership } from './membership.ts';
import { stubsLeft } from './stubs-left.ts';

/** Longest DID that can name a folder. */
const MAX_DID_LENGTH = 200;

/** A person who cannot be enrolled, whatever the operator allows. */
export class UnsupportedDidError extends Error {
  override name = 'UnsupportedDidError';
}

/** A person whose account the operator took down. */
export class TakenDownError extends Error {
  override name = 'TakenDownError';
}

export interface EnrollOptions {
  pdsEndpoint?: string | undefined;
  /** For a person who is new here; those of the configuration unless told. */
  boundaries?: readonly Boundary[];
}

/**
 * Enrolls a person: key, repo with its first commit, membership, and the job that writes the
 * enrollment record. Whoever is enrolled already keeps repo, key and memberships, and gets the
 * record written anew; whoever had left gets the stubs back as well.
 */
export async function enroll(
  ctx: NodeContext,
  did: Did,
  options: EnrollOptions = {},
): Promise<void> {
  if (did.length > MAX_DID_LENGTH) throw new UnsupportedDidError('the DID is too long');
  await ctx.locks.run(did, async () => {
    if (await isTakenDown(ctx, did)) throw new TakenDownError('the account is taken down');
    await ctx.publisher.beforeWrite(did);
    const signingKey = await ensureRepo(ctx, did);
    const node = { did: ctx.config.serviceDid, keys: ctx.nodeKeys };
    const stubs = await stubsLeft(ctx, did);
    await ctx.service.transact(async (stores) => {
      const known = await stores.enrollments.get(did);
      const isMember = known?.active === true;
      const fresh = options.boundaries ?? ctx.config.enrollment.boundaries;
      const boundaries = isMember ? known.boundaries : sortedBoundaries(fresh);
      await stores.enrollments.put({
        did,
        active: true,
        boundaries,
        signingKey,
        enrolledAt: known?.enrolledAt ?? new Date().toISOString(),
        pdsEndpoint: options.pdsEndpoint ?? known?.pdsEndpoint,
        enrollmentRkey: enrollmentRkey(node.did),
      });
      if (!isMember || known.signingKey !== signingKey) {
        await appendMembership(stores, node, { did, active: true, boundaries, signingKey });
      }
      await ctx.publisher.publishWithin(stores, did);
      await stores.outbox.unpark(did);
      await stores.outbox.add(did, { kind: 'enrollment' });
      if (known?.active === false) {
        for (const change of stubs) await stores.outbox.add(did, { kind: 'stub', change });
      }
    });
    ctx.publisher.announce();
  });
}

/** The person's repo with its key and first commit, made if there is none yet. */
async function ensureRepo(ctx: NodeContext, did: Did): Promise<DidKey> {
  await ctx.actors.create(did, ctx.actorKeys.generate(did));
  return ctx.actors.write(did, async (actor) => {
    const key = await ctx.actorKeys.of(actor);
    if (!(await actor.root())) await actor.applyCommit(await firstCommit(actor, key));
    return key.did();
  });
}
