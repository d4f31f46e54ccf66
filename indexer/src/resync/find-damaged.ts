import type { Did } from '@stratos/protocol';
import type { Transaction } from '../database.ts';
import { checkDerived } from '../verifying/check-derived.ts';
import { checkPost } from '../verifying/check-post.ts';

export interface StoredPosts {
  did: Did;
  nodeDid: Did;
  uris: readonly string[];
}

/** Those of some stored posts of which a column, or where they are to be read, is not what they say. */
export async function findDamaged(tx: Transaction, stored: StoredPosts): Promise<Set<string>> {
  const { did, nodeDid, uris } = stored;
  const found = new Set(await misplaced(tx, stored));
  const among = new Set(uris);
  for (const { uri } of await checkDerived(tx, { did, nodeDid }))
    if (among.has(uri)) found.add(uri);
  for (const post of await tx.post.findMany({ where: { nodeDid, uri: { in: [...uris] } } })) {
    const { done } = await checkPost(post, nodeDid, undefined).next();
    if (!done) found.add(post.uri);
  }
  return found;
}

/** Posts that are to be read in another boundary, at another place, as another version or as of somebody else. */
async function misplaced(tx: Transaction, { nodeDid, uris }: StoredPosts): Promise<string[]> {
  const rows = await tx.$queryRaw<{ uri: string }[]>`
    select distinct r.uri from stratos_post_boundary r
    join stratos_post p on p.uri = r.uri and p.node_did = r.node_did
    where r.uri = any(${[...uris]}::text[]) and r.node_did = ${nodeDid}
      and ((r.did, r.sort_at, r.cid, r.indexed_at) <> (p.did, p.sort_at, p.cid, p.indexed_at)
        or r.boundary <> all(p.boundaries))`;
  return rows.map(({ uri }) => uri);
}
