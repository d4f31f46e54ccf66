import { Prisma, type PrismaClient } from '@stratos/prisma';
import { type AtUri, type Cid, type Did, decodeRecord, ProofError } from '@stratos/protocol';
import DataLoader from 'dataloader';
import type { Candidate } from '../feeds/skeleton.ts';
import type { Logger } from '../logger.ts';

type RecordValue = Awaited<ReturnType<typeof decodeRecord>>;

/** A post whose bytes were found to be those of its CID. Nobody has been allowed to see it yet. */
export interface HydratedPost {
  uri: AtUri;
  node: Did;
  cid: Cid;
  value: RecordValue;
  indexedAt: Date;
}

interface Row {
  uri: AtUri;
  node: Did;
  cid: Cid;
  record: Uint8Array;
  indexed_at: Date;
  /** What the stub on the author's PDS says, when it names this node. */
  stub_cid: string | null;
}

export type PostLoader = DataLoader<Candidate, HydratedPost | undefined, string>;

/** Records that were not served because they are not what was proven when they came in. */
export interface HydrationCounter {
  refused: number;
}

/** Loads the content of posts for one request, each verified anew; undefined for what fails. */
export function createPostLoader(
  prisma: PrismaClient,
  logger: Logger,
  counter: HydrationCounter,
): PostLoader {
  return new DataLoader<Candidate, HydratedPost | undefined, string>(
    async (candidates) => {
      const rows = await loadRows(prisma, candidates);
      return Promise.all(
        candidates.map(async (candidate) => {
          const row = rows.get(keyOf(candidate));
          const verified = row && (await verify(candidate, row));
          if (typeof verified === 'object') return verified;
          counter.refused += 1;
          const { uri, node } = candidate;
          logger.warn({ uri, node, reason: verified ?? 'gone' }, 'record not served');
          return undefined;
        }),
      );
    },
    { cacheKeyFn: (candidate) => `${candidate.cid} ${keyOf(candidate)}`, maxBatchSize: 200 },
  );
}

async function verify(candidate: Candidate, row: Row): Promise<HydratedPost | string> {
  if (row.cid !== candidate.cid) return 'changed';
  if (row.stub_cid !== null && row.stub_cid !== row.cid) return 'not-what-the-stub-names';
  try {
    const value = await decodeRecord(row.record, row.cid);
    return { uri: row.uri, node: row.node, cid: row.cid, value, indexedAt: row.indexed_at };
  } catch (error) {
    if (error instanceof ProofError) return error.reason;
    throw error;
  }
}

async function loadRows(prisma: PrismaClient, candidates: readonly Candidate[]) {
  const uris = candidates.map(({ uri }) => uri);
  const nodes = candidates.map(({ node }) => node);
  const rows = await prisma.$queryRaw<Row[]>(Prisma.sql`
    select p.uri, p.node_did as node, p.cid, p.record, p.indexed_at, s.subject_cid as stub_cid
    from unnest(${uris}::text[], ${nodes}::text[]) as wanted(uri, node_did)
    join stratos_post p on p.uri = wanted.uri and p.node_did = wanted.node_did
    left join stratos_stub s on s.uri = p.uri and s.node_did = p.node_did`);
  return new Map(rows.map((row) => [keyOf(row), row]));
}

function keyOf({ uri, node }: { uri: AtUri; node: Did }): string {
  return `${node} ${uri}`;
}
