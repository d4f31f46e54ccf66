import { CommitClaim, type Did, type DidKey, ProofError } from '@stratos/protocol';
import { claimedActor, type NodeEvent } from './node-event.ts';

/** An event with what can be proven of it before it is its turn. */
export interface ProvenEvent extends NodeEvent {
  /** Of a commit: what it says, or why it says nothing. */
  claim?: CommitClaim | ProofError;
}

/** Somebody's key as it was last seen; it need not be the one of now. */
export type KnownKey = (did: Did) => DidKey | undefined;

/**
 * Does the part of proving an event that needs no database. A signature is looked at aside, by the key
 * that is probably the right one.
 */
export async function proveEvent(
  event: NodeEvent,
  nodeDid: Did,
  knownKey: KnownKey = () => undefined,
): Promise<ProvenEvent> {
  if (event.type !== '#commit' || !claimedActor(event.body)) return event;
  try {
    const claim = await CommitClaim.read(event.body, { service: nodeDid });
    const key = knownKey(claim.did);
    if (key) await claim.vouch(key);
    return { ...event, claim };
  } catch (error) {
    if (!(error instanceof ProofError)) throw error;
    return { ...event, claim: error };
  }
}
