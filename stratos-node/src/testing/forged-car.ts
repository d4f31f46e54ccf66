import { TID } from '@atproto/common-web';
import { encode } from '@atproto/lex-cbor';
import { type Cid as CidLink, decodeCid, type LexMap } from '@atproto/lex-data';
import { BlockMap, blocksToCarFile, MemoryBlockstore, MST } from '@atproto/repo';
import type { Did, SigningKey } from '@stratos/protocol';
import { cidBytesOf } from '@stratos/protocol/tree';

/** A CAR of somebody's making. */
export interface Forged {
  records?: Record<string, LexMap>;
  /** More leaves, whatever they are. */
  nodes?: (tree: { data: CidLink; blocks: BlockMap }) => CidLink;
  commit?: LexMap;
  did: Did;
  key: SigningKey;
  roots?: number;
}

/** Signs and packs it, whatever it is. */
export async function forged({ records = {}, nodes, commit = {}, did, key, roots = 1 }: Forged) {
  const blocks = new BlockMap();
  let tree = await MST.create(new MemoryBlockstore());
  for (const [path, record] of Object.entries(records)) {
    tree = await tree.add(path, await blocks.add(record));
  }
  const { blocks: treeBlocks, root } = await tree.getUnstoredBlocks();
  blocks.addMap(treeBlocks);
  const data = nodes ? nodes({ data: root, blocks }) : root;
  const unsigned = { did, version: 3, rev: TID.nextStr(), prev: null, data, ...commit };
  const sig = await key.sign(encode(unsigned));
  const cid = await blocks.add({ ...unsigned, sig });
  const file = await blocksToCarFile(cid, blocks);
  if (roots === 1) return new Uint8Array(file);
  const header = encode({ version: 1, roots: Array.from({ length: roots }, () => cid) });
  const old = 1 + encode({ version: 1, roots: [cid] }).length;
  return new Uint8Array(Buffer.concat([Buffer.from([header.length]), header, file.subarray(old)]));
}

/** The CID of a block. */
export function blockCid(bytes: Uint8Array): CidLink {
  return decodeCid(cidBytesOf(bytes));
}

/** Adds a block and gives its CID. */
export function put(blocks: BlockMap, node: LexMap): CidLink {
  const bytes = encode(node);
  const cid = blockCid(bytes);
  blocks.set(cid, bytes);
  return cid;
}
