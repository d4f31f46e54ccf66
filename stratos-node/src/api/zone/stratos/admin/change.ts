import { type Boundary, type Did, isDid, qualifyBoundary, toBoundary } from '@stratos/protocol';
import type { NodeContext } from '../../../../context.ts';
import { changeBoundaries } from '../../../../enrollment/change-boundaries.ts';
import { NodeError } from '../../../../node-error.ts';

export interface BoundaryChange {
  /** NSID of the method. */
  action: string;
  /** Where the operator calls from. */
  address: string;
  did: string;
  change: (now: readonly Boundary[]) => Iterable<Boundary>;
}

/** Carries out what the operator asked for and writes it into the audit log. */
export async function changeAsOperator(ctx: NodeContext, request: BoundaryChange) {
  const { action, address, did, change } = request;
  if (!isDid(did)) throw new NodeError('NotFound');
  const boundaries = await changeBoundaries(ctx, did, change);
  await ctx.service.audit.append({
    address,
    action,
    did,
    detail: boundaries.join(' '),
    outcome: 'done',
  });
  ctx.logger.info({ action, did }, 'the operator changed a membership');
  return { encoding: 'application/json' as const, body: { did: did as Did, boundaries } };
}

/** A boundary of this node, by its whole or its bare name. Throws `InvalidBoundary` for any other. */
export function ownBoundary(ctx: NodeContext, value: string): Boundary {
  const boundary = parse(ctx.config.serviceDid, value);
  if (!boundary || !ctx.config.boundaries.includes(boundary))
    throw new NodeError('InvalidBoundary');
  return boundary;
}

function parse(nodeDid: Did, value: string): Boundary | undefined {
  try {
    return value.includes('/') ? toBoundary(value) : qualifyBoundary(nodeDid, value);
  } catch {
    return undefined;
  }
}
