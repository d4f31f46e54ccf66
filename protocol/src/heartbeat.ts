import { encode } from '@atproto/lex-cbor';
import { parseCid } from '@atproto/lex-data';
import { zone } from '../generated/index.ts';
import { ProofError } from './errors.ts';
import { type Cid, type Did, type DidKey, toCid } from './identifiers.ts';
import { type SigningKey, verifySignature } from './signing-key.ts';

type HeartbeatFrame = zone.stratos.sync.subscribeService.Heartbeat;
const NSID = zone.stratos.sync.subscribeService.$nsid;

/** Where a node's stream and its membership log are at one moment. */
export interface Heartbeat {
  service: Did;
  /** Newest position in the stream. */
  seq: number;
  time: Date;
  /** Newest entry of the membership log; 0 and undefined while it is empty. */
  membershipSeq: number;
  membershipHead: Cid | undefined;
}

/** Seconds by which a node's clock may be ahead of ours. */
const CLOCK_SKEW_MS = 30_000;

/** The frame of a heartbeat, signed with the node's key. */
export async function signHeartbeat(
  heartbeat: Heartbeat,
  nodeKey: SigningKey,
): Promise<HeartbeatFrame> {
  const unsigned = toWire(heartbeat);
  return { ...unsigned, sig: await nodeKey.sign(payload(unsigned)) };
}

/**
 * Checks that a heartbeat is the node's own word.
 *
 * @throws {@link ProofError} `malformed`, `wrong-service`, `bad-signature` or `in-the-future`
 */
export function verifyHeartbeat(
  frame: unknown,
  options: { service: Did; keys: readonly DidKey[]; now?: Date },
): Heartbeat {
  const { service, keys, now = new Date() } = options;
  const parsed = zone.stratos.sync.subscribeService.heartbeat.safeParse(frame);
  if (!parsed.success) throw new ProofError('malformed', 'not a heartbeat');
  const { sig, ...rest } = parsed.value;
  if (rest.service !== service)
    throw new ProofError('wrong-service', 'the heartbeat is of another node');
  const heartbeat: Heartbeat = {
    service,
    seq: rest.seq,
    time: new Date(rest.time),
    membershipSeq: rest.membershipSeq,
    membershipHead: rest.membershipHead && toCid(rest.membershipHead.toString()),
  };
  const signed = payload(toWire(heartbeat));
  if (!keys.some((key) => verifySignature(key, signed, sig))) {
    throw new ProofError('bad-signature', 'the heartbeat is not signed by the node');
  }
  if (heartbeat.time.getTime() > now.getTime() + CLOCK_SKEW_MS) {
    throw new ProofError('in-the-future', 'the heartbeat is of the future');
  }
  return heartbeat;
}

type UnsignedFrame = Omit<HeartbeatFrame, 'sig'>;

function toWire(heartbeat: Heartbeat): UnsignedFrame {
  const { service, seq, time, membershipSeq, membershipHead } = heartbeat;
  return {
    service,
    seq,
    time: time.toISOString() as UnsignedFrame['time'],
    membershipSeq,
    ...(membershipHead && { membershipHead: parseCid(membershipHead) }),
  };
}

// @NOTE `$type` keeps this signature from being good for anything else that a node signs
function payload(unsigned: UnsignedFrame): Uint8Array {
  return encode({ ...unsigned, $type: `${NSID}#heartbeat` });
}
