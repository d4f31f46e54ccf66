import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createGatewayLogin,
  createPrismaClient,
  migrate,
  type PrismaClient,
  startEmbeddedPostgres,
} from '@stratos/prisma';
import type { Did } from '@stratos/protocol';

export interface FeedDatabase extends AsyncDisposable {
  /** For its owner, whom row security does not concern. */
  url: string;
  /** For the role of the gateway. */
  gatewayUrl: string;
  prisma: PrismaClient;
}

/** An AppView database in a folder of its own, migrated and empty. */
export async function startFeedDatabase(): Promise<FeedDatabase> {
  await using opened = new AsyncDisposableStack();
  const dataDir = await mkdtemp(join(tmpdir(), 'stratos-bench-'));
  opened.defer(() => rm(dataDir, { recursive: true, force: true }));
  const postgres = opened.use(await startEmbeddedPostgres({ dataDir, port: 0, persistent: false }));
  await postgres.createDatabase('bench');
  const url = postgres.url('bench');
  await migrate(url);
  const gatewayUrl = await createGatewayLogin(url, randomBytes(24).toString('base64url'));
  const prisma = createPrismaClient(url, { poolSize: 2, statementTimeoutMs: 300_000 });
  opened.defer(() => prisma.$disconnect());
  const owned = opened.move();
  return { url, gatewayUrl, prisma, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

export interface Filling {
  node: Did;
  posts: number;
  boundaries: number;
}

/**
 * Posts of a thousand authors, one a second, each tenth of them in two boundaries. The boundaries
 * are of very different size: the first has a fourteenth of all posts, the last one in 400.
 */
export async function fill(prisma: PrismaClient, { node, posts, boundaries }: Filling) {
  await prisma.node.create({
    data: {
      did: node,
      endpoint: 'http://node.invalid',
      leaseUntil: new Date(Date.now() + 3_600_000),
    },
  });
  await prisma.$executeRaw`select setseed(0.5)`;
  await prisma.$executeRaw`
    insert into stratos_post
      (uri, node_did, cid, did, rkey, rev, record, text, created_at, indexed_at, sort_at, boundaries)
    select 'at://' || author || '/zone.stratos.feed.post/' || i, ${node}, 'bafyrei' || md5(i::text),
      author, i::text, '3l3qo2vutsw2b', decode(repeat(md5(i::text), 10), 'hex'), repeat(md5(i::text), 5),
      at, at, at, case when i % 10 = 0 then array[${node} || '/b' || one, ${node} || '/b' || (one + 1) % ${boundaries}::int]
        else array[${node} || '/b' || one] end
    from (
      select i, 'did:plc:' || lpad(translate((i * 7919 % 1000)::text, '0123456789', 'abcdefghij'), 24, 'a') as author,
        now() - i * interval '1 s' as at, floor(power(random(), 2) * ${boundaries}::int)::int as one
      from generate_series(1, ${posts}::int) as i
    ) as post`;
  await prisma.$executeRaw`
    insert into stratos_post_boundary (boundary, sort_at, uri, node_did, did, cid, indexed_at)
    select boundary, sort_at, uri, node_did, did, cid, indexed_at from stratos_post, unnest(boundaries) as boundary`;
  await prisma.$executeRaw`
    insert into stratos_actor (did, updated_at) select distinct did, now() from stratos_post`;
  await prisma.$executeRawUnsafe('vacuum analyze');
}

/** Makes somebody a member of some of the boundaries, big and small ones. */
export async function addMember(
  prisma: PrismaClient,
  did: Did,
  { node, boundaries, count }: Pick<Filling, 'node' | 'boundaries'> & { count: number },
): Promise<string[]> {
  const names = Array.from(
    { length: count },
    (_, index) => `${node}/b${Math.floor(((index + 0.5) * boundaries) / count)}`,
  );
  await prisma.membership.create({
    data: {
      did,
      nodeDid: node,
      active: true,
      seq: 1n,
      signingKey: 'did:key:bench',
      issuedAt: new Date(),
      boundaries: { create: names.map((boundary) => ({ boundary })) },
    },
  });
  return names;
}
