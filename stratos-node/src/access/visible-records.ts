import { decode } from '@atproto/lex-cbor';
import type { LexMap } from '@atproto/lex-data';
import {
  type AtUri,
  type Boundary,
  type Cid,
  cborCid,
  type Did,
  parseAtUri,
  recordBoundaries,
} from '@stratos/protocol';
import type { NodeContext } from '../context.ts';
import { enrolledAmong } from '../enrollment/is-enrolled.ts';
import type { RecordContent } from '../storage/actor-storage.ts';
import { mayRead, type Viewer } from './viewer.ts';

/** A record that the viewer may read. */
export interface VisibleRecord {
  uri: AtUri;
  cid: Cid;
  value: LexMap;
  boundaries: Boundary[];
}

export interface ReadOptions {
  /** Lets the AppViews that the operator named read everything. */
  asAppView?: boolean;
}

/** What it takes to read records. */
export type ReadContext = Pick<NodeContext, 'actors' | 'config' | 'logger' | 'service'>;

/** Those of the records that exist and that the viewer may read. The others are not told apart. */
export async function visibleRecords(
  ctx: ReadContext,
  viewer: Viewer,
  uris: readonly AtUri[],
  { asAppView = false }: ReadOptions = {},
): Promise<Map<AtUri, VisibleRecord>> {
  const visible = new Map<AtUri, VisibleRecord>();
  const byOwner = Map.groupBy(new Set(uris), (uri) => parseAtUri(uri).did);
  const enrolled = await enrolledAmong(ctx, [...byOwner.keys()]);
  for (const [owner, owned] of byOwner) {
    if (owner !== viewer.did && !enrolled.has(owner)) continue;
    for (const row of (await ctx.actors.contents(owner, owned)) ?? []) {
      const record = await readRecord(ctx, row);
      if (!record) continue;
      const allowed = (asAppView && viewer.isAppView) || mayRead(viewer, owner, record.boundaries);
      if (allowed) visible.set(record.uri, record);
    }
  }
  return visible;
}

export async function visibleRecord(
  ctx: ReadContext,
  viewer: Viewer,
  uri: AtUri,
  options?: ReadOptions,
): Promise<VisibleRecord | undefined> {
  return (await visibleRecords(ctx, viewer, [uri], options)).get(uri);
}

/** A stored record as it is read, by whoever may; undefined if it is damaged. */
export async function readRecord(
  ctx: Pick<ReadContext, 'config' | 'logger'>,
  row: RecordContent,
): Promise<VisibleRecord | undefined> {
  try {
    const value = decodeStored(row);
    return {
      uri: row.uri,
      cid: row.cid,
      value,
      boundaries: boundariesOf(value, ctx.config.serviceDid),
    };
  } catch (error) {
    ctx.logger.error({ err: error, uri: row.uri }, 'a stored record cannot be read');
    return undefined;
  }
}

/** @NOTE how it was to be encoded was checked when it was written; bytes can still rot */
function decodeStored({ bytes, cid }: RecordContent): LexMap {
  if (cborCid(bytes) !== cid) throw new Error('bytes do not match the CID');
  return decode(bytes) as LexMap;
}

/** Boundaries that cannot be read are none, which leaves the record to its owner. */
function boundariesOf(value: LexMap, nodeDid: Did): Boundary[] {
  try {
    return recordBoundaries(value, nodeDid);
  } catch {
    return [];
  }
}
