import { setImmediate } from 'node:timers/promises';
import type { DatetimeString, UriString } from '@atproto/syntax';
import { type Boundary, decodeCanonicalMap } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import type { NodeContext } from '../context.ts';
import { NodeError } from '../node-error.ts';
import type { MembershipChange } from '../storage/service-storage.ts';
import type { RecordsMessage } from './actor-frames.ts';

const ENTRIES_PER_READ = 200;
const MAX_LAG = 10_000;
/** Milliseconds after which the log is looked at though nobody said that it grew. */
const LOOK_EVERY_MS = 30_000;

export interface EnrollmentStreamOptions {
  /** The last position that the consumer has seen; without it the stream begins at the beginning. */
  cursor: number | undefined;
  domain: Boundary | undefined;
  signal: AbortSignal;
  maxLag?: number;
}

/**
 * Who is enrolled in what, from the membership log, which is kept for ever.
 *
 * @throws `FutureCursor`, and `ConsumerTooSlow` for one that falls too far behind
 */
export async function* enrollmentStream(
  ctx: Pick<NodeContext, 'config' | 'service' | 'signal'>,
  { cursor, domain, signal, maxLag = MAX_LAG }: EnrollmentStreamOptions,
): AsyncGenerator<RecordsMessage> {
  const { memberships } = ctx.service;
  const head = async () => (await memberships.head())?.seq ?? 0;
  let last = cursor ?? 0;
  let isUpToDate = false;
  if (last > (await head())) throw new NodeError('FutureCursor');
  while (!signal.aborted) {
    const seen = ctx.signal.version;
    const changes = await memberships.changesAfter(last, ENTRIES_PER_READ);
    const isFull = changes.length === ENTRIES_PER_READ;
    if (isUpToDate && isFull && (await head()) - last > maxLag) {
      throw new NodeError('ConsumerTooSlow');
    }
    for (const change of changes) {
      const message = enrollmentFrame(ctx.config.publicUrl, change, domain);
      if (signal.aborted) return;
      if (message) yield message;
      last = change.seq;
    }
    await setImmediate();
    if (isFull) continue;
    isUpToDate = true;
    await ctx.signal.changedSince(seen, { timeoutMs: LOOK_EVERY_MS, signal });
  }
}

/** Undefined for a change that has nothing to do with the boundary. */
function enrollmentFrame(
  publicUrl: string,
  { seq, entry, before }: MembershipChange,
  domain: Boundary | undefined,
): RecordsMessage | undefined {
  const { did, active, boundaries, issuedAt } = readEntry(entry);
  const prevBoundaries = before && readEntry(before).boundaries;
  const isConcerned =
    domain === undefined || boundaries.includes(domain) || prevBoundaries?.includes(domain);
  if (!isConcerned) return undefined;
  return zone.stratos.sync.subscribeRecords.enrollment.build({
    seq,
    did,
    action: active ? 'enroll' : 'unenroll',
    service: publicUrl as UriString,
    boundaries,
    ...(prevBoundaries && { prevBoundaries }),
    time: issuedAt as DatetimeString,
  });
}

function readEntry(bytes: Uint8Array) {
  return zone.stratos.membership.defs.entry.parse(decodeCanonicalMap(bytes));
}
