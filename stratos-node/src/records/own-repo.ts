import type { Did } from '@stratos/protocol';
import type { NodeContext } from '../context.ts';
import { NodeError } from '../node-error.ts';

/** Refuses a caller who names another repo than their own, by DID or by their verified handle. */
export async function requireOwnRepo(
  ctx: Pick<NodeContext, 'identity'>,
  caller: Did,
  repo: string,
): Promise<void> {
  if (repo === caller) return;
  const isHandle = !repo.startsWith('did:');
  const handle = isHandle
    ? await ctx.identity.verifiedHandle(caller).catch(() => undefined)
    : undefined;
  if (handle !== undefined && handle === repo.toLowerCase()) return;
  throw new NodeError('AuthRequired', 'The repo is not the one of the caller');
}
