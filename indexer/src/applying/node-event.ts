import { type Did, isDid } from '@stratos/protocol';

/** One event of a node's stream, before anything about it is proven. */
export interface NodeEvent {
  /** As in the frame's header: `#commit`, `#membership`, `#heartbeat`, `#info`. */
  type: string;
  body: unknown;
  /** Bytes of its frame, if it came in one. */
  size?: number;
}

/** The place in the stream that an event claims. */
export function positionOf(body: unknown): number | undefined {
  const seq = (body as { seq?: unknown } | null)?.seq;
  return Number.isSafeInteger(seq) && Number(seq) > 0 ? Number(seq) : undefined;
}

/** The person whose repo a commit claims to be of. */
export function claimedActor(body: unknown): Did | undefined {
  const did = (body as { did?: unknown } | null)?.did;
  return isDid(did) ? did : undefined;
}
