import { setTimeout as sleep } from 'node:timers/promises';
import type { Did } from '@stratos/protocol';
import { Child } from '../child.ts';
import { median, quantile } from '../statistics.ts';
import { number, printTable } from '../table.ts';
import type { BenchDatabase } from './database.ts';
import { LIVE_DOORS, type LiveDoor, LiveStream } from './live-stream.ts';
import { LiveWorld } from './live-world.ts';
import { type MeasuredGateway, startMeasuredGateway } from './measured-gateway.ts';

const VIEWERS = 1_000;
const OPEN = 5_000;
const REVOCATIONS = 200;
const BAR = { deliveries: 30_000, memory: 500, revocation: 1_000 };
/** Posts that are on their way at a time. */
const AHEAD = 40;
const BATCH = 10;

export interface LiveOptions {
  seconds: number;
  profile?: string | undefined;
}

/** Measures live updates, and prints what comes out. */
export async function benchLive(database: BenchDatabase, options: LiveOptions): Promise<void> {
  const members = VIEWERS + LIVE_DOORS.length * REVOCATIONS;
  await using world = await LiveWorld.create(database.url, members);
  const rows: string[][] = [];
  for (const door of LIVE_DOORS) rows.push(await doorRow(database, world, door, options));
  console.log(
    `\n${number(VIEWERS)} streams, one for each viewer; ${options.seconds} s at full speed\n`,
  );
  printTable(
    [
      ...['deliveries', 'a second', 'bar', 'of bar', 'floor', 'of floor'],
      ...['cpu µs', 'p50 ms', 'p99 ms', 'MB'],
    ],
    rows,
  );
  await printMemory(database, world, options);
  console.log(
    `\n${REVOCATIONS} removals at random times under ${number(25 * VIEWERS)} deliveries a second\n`,
  );
  const removals: string[][] = [];
  for (const [index, door] of LIVE_DOORS.entries()) {
    const from = index * REVOCATIONS;
    removals.push(await revocationRow(database, world, { door, from, ...options }));
  }
  printTable(
    ['last byte after, ms', 'p50', 'p99', 'bar', 'most', 'posts written afterwards'],
    removals,
  );
}

async function doorRow(
  database: BenchDatabase,
  world: LiveWorld,
  door: LiveDoor,
  { seconds, profile }: LiveOptions,
): Promise<string[]> {
  await using gateway = await start(database, profile);
  const streams = await openAll(gateway, world.members.slice(0, VIEWERS), door, VIEWERS);
  let sample = '';
  const [first] = streams;
  if (first) first.onText = (text) => (sample = text.includes('at=') ? text : sample);
  const post = (count: number) => world.post(count);
  await flood(streams, post, 2);
  const before = await gateway.process.usage();
  const { rate, deliveries } = await flood(streams, post, seconds);
  const { cpu, rss } = await gateway.process.usage();
  const delays = await delaysOf(streams, world);
  for (const stream of streams) stream.close();
  const floor = await floorOf(door, sample.slice(sample.lastIndexOf(door.begin)), seconds);
  return [
    door.name,
    ...[rate, BAR.deliveries].map(number),
    percent(rate / BAR.deliveries),
    number(floor),
    percent(rate / floor),
    number(((cpu - before.cpu) * 1000) / deliveries),
    ...[median(delays), quantile(delays, 0.99)].map((ms) => ms.toFixed(0)),
    number(rss),
  ];
}

function start({ gatewayUrl }: BenchDatabase, profile?: string): Promise<MeasuredGateway> {
  return startMeasuredGateway({ databaseUrl: gatewayUrl, bound: false, profile });
}

async function openAll(
  { process, sessions }: MeasuredGateway,
  members: readonly Did[],
  door: LiveDoor,
  count: number,
): Promise<LiveStream[]> {
  const streams: LiveStream[] = [];
  for (let opened = 0; opened < count; opened += 50) {
    const viewers = Array.from(
      { length: 50 },
      (_, index) => members[(opened + index) % members.length],
    );
    streams.push(
      ...(await Promise.all(
        viewers.map(async (viewer) => {
          if (!viewer) throw new Error('nobody');
          const { authorization = '' } = await sessions.headers(viewer, 'POST', '/graphql');
          return LiveStream.open(process.url, door, authorization);
        }),
      )),
    );
  }
  return streams;
}

/** Posts as fast as it is delivered to everybody. */
async function flood(
  streams: readonly LiveStream[],
  post: (count: number) => Promise<unknown>,
  seconds: number,
): Promise<{ rate: number; deliveries: number }> {
  const start = performance.now();
  const before = total(streams);
  let posted = 0;
  const delivered = () => (total(streams) - before) / streams.length;
  while (performance.now() - start < seconds * 1000) {
    if (posted - delivered() < AHEAD) {
      await post(BATCH);
      posted += BATCH;
    } else await sleep(1);
  }
  while (delivered() < posted && performance.now() - start < seconds * 3_000) await sleep(1);
  const deliveries = total(streams) - before;
  return { rate: deliveries / ((performance.now() - start) / 1000), deliveries };
}

/** Milliseconds from before a post is written until it arrives, while a third of the bar is asked for. */
async function delaysOf(streams: readonly LiveStream[], world: LiveWorld): Promise<number[]> {
  const delays: number[] = [];
  for (const stream of streams.filter((_, index) => index % 20 === 0)) {
    stream.onText = (text) => {
      for (const [, at] of text.matchAll(/at=(\d+) /g)) delays.push(Date.now() - Number(at));
    };
  }
  for (let posts = 0; posts < 50; posts++) {
    await world.post(1);
    await sleep(100);
  }
  for (const stream of streams) stream.onText = undefined;
  return delays;
}

/** Deliveries a second of the same bytes by a bare server. */
async function floorOf(door: LiveDoor, event: string, seconds: number): Promise<number> {
  await using floor = await Child.start(new URL('./live-floor-process.ts', import.meta.url), {
    args: [Buffer.from(event, 'latin1').toString('base64')],
  });
  const streams = await Promise.all(
    Array.from({ length: VIEWERS }, () => LiveStream.open(floor.url, door, 'Bearer none')),
  );
  const deliver = (count: number) =>
    fetch(floor.url, { method: 'POST', headers: { 'x-deliver': String(count) } });
  const { rate } = await flood(streams, deliver, seconds);
  for (const stream of streams) stream.close();
  return rate;
}

async function printMemory(
  database: BenchDatabase,
  world: LiveWorld,
  { profile }: LiveOptions,
): Promise<void> {
  const rows: string[][] = [];
  for (const door of LIVE_DOORS) {
    await using gateway = await start(database, profile);
    const before = await gateway.process.usage();
    const streams = await openAll(gateway, world.members, door, OPEN);
    await world.post(1);
    await sleep(1_000);
    const { rss } = await gateway.process.usage();
    const isWhole = streams.every(({ deliveries, isClosed }) => deliveries === 1 && !isClosed);
    for (const stream of streams) stream.close();
    const each = ((rss - before.rss) * 1024) / OPEN;
    rows.push([
      door.name,
      ...[before.rss, rss, BAR.memory, each].map(number),
      isWhole ? 'yes' : 'no',
    ]);
  }
  console.log(`\n${number(OPEN)} open streams, of which each has had one post\n`);
  printTable(['resident memory, MB', 'before', 'after', 'bar', 'kB each', 'all delivered'], rows);
}

/** Removes members, `REVOCATIONS` of them beginning with `from`, and looks when the last byte came. */
async function revocationRow(
  database: BenchDatabase,
  world: LiveWorld,
  { door, from, profile }: { door: LiveDoor; from: number; profile?: string | undefined },
): Promise<string[]> {
  await using gateway = await start(database, profile);
  const members = world.members.slice(from, from + VIEWERS);
  const streams = await openAll(gateway, members, door, VIEWERS);
  let late = 0;
  let isOver = false;
  const writing = (async () => {
    while (!isOver) {
      await world.post(1);
      await sleep(40);
    }
  })();
  const delays: number[] = [];
  for (const [index, member] of members.slice(0, REVOCATIONS).entries()) {
    const stream = streams[index];
    if (!stream) break;
    let removedAt = Number.POSITIVE_INFINITY;
    stream.onText = (text) => {
      for (const [, at] of text.matchAll(/at=(\d+) /g)) if (Number(at) > removedAt) late += 1;
    };
    await sleep(Math.random() * 60);
    removedAt = await world.remove(member);
    const end = Date.now() + 2_000;
    while (!stream.isClosed && !stream.isLost && Date.now() < end) await sleep(5);
    await sleep(50);
    delays.push(
      stream.isClosed || stream.isLost
        ? Math.max(0, stream.lastAt - removedAt)
        : Number.POSITIVE_INFINITY,
    );
    stream.close();
  }
  isOver = true;
  await writing;
  for (const stream of streams) stream.close();
  const times = [median(delays), quantile(delays, 0.99), BAR.revocation, Math.max(...delays)];
  return [door.name, ...times.map((ms) => ms.toFixed(0)), number(late)];
}

function total(streams: readonly LiveStream[]): number {
  return streams.reduce((sum, { deliveries }) => sum + deliveries, 0);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)}%`;
}
