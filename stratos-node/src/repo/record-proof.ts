import { parseCid } from '@atproto/lex-data';
import { type AtUri, type Cid, parseAtUri } from '@stratos/protocol';
import { pathTo } from '@stratos/protocol/tree';
import type { ActorStorage } from '../storage/actor-storage.ts';
import { dataOf } from './build-commit.ts';
import { carOf } from './car.ts';
import { nodesOf } from './tree-nodes.ts';

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
    const stored = await actor.record(record.uri);
    if (!root || stored?.cid !== record.cid) return undefined;
    const commit = await actor.block(root.cid);
    const path = await pathTo(
      nodesOf(actor),
      await dataOf(actor, root.cid),
      `${collection}/${rkey}`,
    );
    if (!commit || !path) return undefined;
    const rootCid = parseCid(root.cid).bytes;
    return carOf(rootCid, [[rootCid, commit], ...path.nodes, [path.value, stored.bytes]]);
  });
}
