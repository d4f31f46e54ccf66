import { parseCid } from '@atproto/lex-data';
import { concatBytesAsync, getRecords } from '@atproto/repo';
import { type AtUri, type Cid, parseAtUri } from '@stratos/protocol';
import type { ActorStorage } from '../storage/actor-storage.ts';
import { ActorBlockstore } from './actor-blockstore.ts';

/**
 * A CAR with the newest commit, the way through the tree to a record, and the record.
 *
 * @returns undefined if the record is no longer what the caller was found to be allowed to see
 */
export async function recordProof(
  actors: ActorStorage,
  record: { uri: AtUri; cid: Cid },
): Promise<Uint8Array | undefined> {
  const { did, collection, rkey } = parseAtUri(record.uri);
  return actors.read(did, async (actor) => {
    const root = await actor.root();
    if (!root || (await actor.record(record.uri))?.cid !== record.cid) return undefined;
    const store = new ActorBlockstore(actor);
    return concatBytesAsync(getRecords(store, parseCid(root.cid), [{ collection, rkey }]));
  });
}
