import { TID } from '@atproto/common-web';
import { cidForLex, encode } from '@atproto/lex-cbor';
import type { LexMap } from '@atproto/lex-data';
import { BlockMap, blocksToCarFile, MemoryBlockstore, MST } from '@atproto/repo';
import {
  buildEnrollmentRecord,
  type Did,
  qualifyBoundary,
  SigningKey,
  signAttestation,
} from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import type { Child } from '../child.ts';
import type { Person } from '../people.ts';
import { BOUNDARY, NODE_DID } from './measured-node.ts';
import type { Row } from './report.ts';
import { post } from './requests.ts';

const nsid = zone.stratos.repo.importRepo.$nsid;
const collection = zone.stratos.feed.post.$nsid;
const RECORDS = 5_000;

export interface ImportOptions {
  /** People whose repos are empty, one for each round. */
  movers: readonly Person[];
  /** Who attests for the node that they come from. */
  source: Person;
}

/** How fast repos come in from another node, all boundaries mapped. */
export async function measureImport(node: Child, { movers, source }: ImportOptions): Promise<Row> {
  const from = qualifyBoundary(source.did, 'bench');
  const rates = [];
  let cpu = Number.POSITIVE_INFINITY;
  for (const mover of movers) {
    const car = await movedRepo(mover, source, from);
    const authorization = await mover.authorization(NODE_DID, nsid);
    await node.calm();
    const before = await node.usage();
    const start = performance.now();
    await importRepo(node.url, car, { authorization, source: source.did, from });
    rates.push((RECORDS / (performance.now() - start)) * 1000);
    cpu = Math.min(cpu, ((await node.usage()).cpu - before.cpu) / RECORDS);
  }
  const { rss } = await node.usage();
  return { name: 'importRepo, records', bar: 10_000, rates, cpu, rss };
}

async function importRepo(
  base: URL,
  body: Uint8Array<ArrayBuffer>,
  { authorization, source, from }: { authorization: string; source: Did; from: string },
): Promise<void> {
  const url = new URL(`/xrpc/${nsid}`, base);
  url.search = new URLSearchParams({ source, boundaries: `${from}=${BOUNDARY}` }).toString();
  const headers = { authorization, 'content-type': 'application/vnd.ipld.car' };
  const response = await fetch(url, { method: 'POST', headers, body });
  if (!response.ok) throw new Error(`${nsid}: ${response.status} ${await response.text()}`);
  await response.arrayBuffer();
}

/** A repo at another node, whose key that node attests on the person's PDS. */
async function movedRepo(
  mover: Person,
  source: Person,
  boundary: ReturnType<typeof qualifyBoundary>,
): Promise<Uint8Array<ArrayBuffer>> {
  const key = SigningKey.generate('P-256');
  const claims = { did: mover.did, boundaries: [boundary], signingKey: key.did() };
  const attestation = await signAttestation(claims, source.key);
  const service = 'http://node.invalid';
  const createdAt = new Date();
  mover.records.push(buildEnrollmentRecord({ ...claims, service, attestation, createdAt }));
  const blocks = new BlockMap();
  let tree = await MST.create(new MemoryBlockstore());
  for (let i = 0; i < RECORDS; i++) {
    tree = await tree.add(`${collection}/${TID.nextStr()}`, await blocks.add(post(boundary, i)));
  }
  const { root: data, blocks: nodes } = await tree.getUnstoredBlocks();
  blocks.addMap(nodes);
  const unsigned = { did: mover.did, version: 3, rev: TID.nextStr(), prev: null, data };
  const commit: LexMap = { ...unsigned, sig: await key.sign(encode(unsigned)) };
  blocks.set(await cidForLex(commit), encode(commit));
  return new Uint8Array(await blocksToCarFile(await cidForLex(commit), blocks));
}
