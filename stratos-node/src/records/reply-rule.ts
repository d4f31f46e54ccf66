import type { AtUri, Boundary, Did } from '@stratos/protocol';
import { viewerOf } from '../access/viewer.ts';
import { visibleRecords } from '../access/visible-records.ts';
import type { NodeContext } from '../context.ts';
import { NodeError } from '../node-error.ts';
import type { CheckedPut, CheckedWrite } from './check-write.ts';
import { replyTargets } from './record-rules.ts';

/**
 * A reply goes to nobody to whom the record that it answers does not go. A record that the author
 * may not see is treated like one that this node does not have, so that nothing is learned of it.
 */
export async function checkReplies(
  ctx: NodeContext,
  author: Did,
  writes: readonly CheckedWrite[],
): Promise<void> {
  const replies = writes.flatMap((write) => {
    if (write.action === 'delete') return [];
    const parent = replyTargets(write.record)?.parent;
    return parent ? [{ write, parent }] : [];
  });
  if (replies.length === 0) return;
  const known = await boundariesOf(
    ctx,
    author,
    replies.map(({ parent }) => parent),
  );
  // @NOTE a parent that is written along counts as it will be
  for (const { uri, ...write } of writes)
    known.set(uri, 'boundaries' in write ? write.boundaries : undefined);
  for (const { write, parent } of replies) {
    if (!isWithin(write, known.get(parent))) {
      throw new NodeError('InvalidRecord', 'A reply cannot go beyond the boundaries of its parent');
    }
  }
}

async function boundariesOf(ctx: NodeContext, author: Did, uris: readonly AtUri[]) {
  const visible = await visibleRecords(ctx, await viewerOf(ctx, author), uris);
  return new Map<AtUri, readonly Boundary[] | undefined>(
    visible.values().map(({ uri, boundaries }) => [uri, boundaries]),
  );
}

function isWithin(reply: CheckedPut, parent: readonly Boundary[] | undefined): boolean {
  return !parent || reply.boundaries.every((boundary) => parent.includes(boundary));
}
