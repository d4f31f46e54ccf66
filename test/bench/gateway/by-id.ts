import { Prisma, type PrismaClient } from '@stratos/prisma';
import { VIEWERS } from '@stratos/prisma/generated-database';
import type { Did } from '@stratos/protocol';
import { Random } from '../../random.ts';
import { load, type Prepared } from '../load.ts';
import { boundariesOf } from './contents.ts';
import { type MeasuredGateway, PUBLIC_URL } from './measured-gateway.ts';
import { type Comparison, compareSamples } from './two-samples.ts';

const PATH = '/trpc/post';
const WARM_UP = 2_000;
/** Requests that are sent with one session, which does not last for all. */
const PER_SESSION = 2_000;

export interface ByIdAnswers extends Comparison {
  hidden: number[];
  absent: number[];
}

/** Asks for posts that somebody may not see, and for some that are not there, in no order. */
export async function measureById(
  { process, sessions }: MeasuredGateway,
  { prisma, count }: { prisma: PrismaClient; count: number },
): Promise<ByIdAnswers> {
  const viewer = VIEWERS[2]?.did;
  if (!viewer) throw new Error('there is no viewer');
  const random = new Random(1);
  const uris = await hiddenFrom(prisma, viewer, count);
  const drawn = Array.from({ length: 2 * count }, (_, index) => ({
    isHidden: index % 2 === 0,
    order: random.next(),
  }));
  drawn.sort((a, b) => a.order - b.order);
  const send = async (some: readonly { isHidden: boolean }[]): Promise<number[]> => {
    await sessions.refresh();
    const requests: Prepared[] = [];
    for (const { isHidden } of some) {
      const uri = random.oneOf(uris);
      const headers = await sessions.headers(viewer, 'GET', `${PUBLIC_URL}${PATH}`);
      const input = JSON.stringify({ uri: isHidden ? uri : absentFrom(uri) });
      requests.push({ path: `${PATH}?input=${encodeURIComponent(input)}`, headers });
    }
    return (await load(process.url, requests, 1)).latencies;
  };
  await send(drawn.slice(0, WARM_UP));
  const latencies: number[] = [];
  for (let sent = 0; sent < drawn.length; sent += PER_SESSION) {
    latencies.push(...(await send(drawn.slice(sent, sent + PER_SESSION))));
  }
  const hidden = latencies.filter((_, index) => drawn[index]?.isHidden);
  const absent = latencies.filter((_, index) => !drawn[index]?.isHidden);
  return { hidden, absent, ...compareSamples(hidden, absent) };
}

async function hiddenFrom(prisma: PrismaClient, viewer: Did, count: number): Promise<string[]> {
  const boundaries = await boundariesOf(prisma, viewer);
  const rows = await prisma.$queryRaw<{ uri: string }[]>(Prisma.sql`
    select uri from stratos_post
    where not boundaries && ${boundaries}::text[]
    order by md5(uri)
    limit ${count}`);
  return rows.map(({ uri }) => uri);
}

/** By the same author and as long, with a letter that no key has. */
function absentFrom(uri: string): string {
  return `${uri.slice(0, -1)}z`;
}
