import { parseArgs } from 'node:util';
import { load } from './load.ts';
import { measureLimits, type Needs } from './machine/limits.ts';
import { measureBackfill } from './node/backfill.ts';
import { DpopSessions, serviceAuth } from './node/credentials.ts';
import { type ImportOptions, measureImport } from './node/import.ts';
import { measure } from './node/measure.ts';
import { startMeasuredNode } from './node/measured-node.ts';
import { printMemory } from './node/memory.ts';
import { printLimits, printMeasured, type Row } from './node/report.ts';
import { Requests } from './node/requests.ts';
import { scenarios } from './node/scenarios.ts';
import { People, type Person } from './people.ts';
import { number } from './table.ts';

/** Records of the repo that is listed and exported. */
const ARCHIVED = 5_000;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
    actors: { type: 'string', default: '20' },
    connections: { type: 'string', default: '16' },
    /** How people prove who they are: `session` or `service-auth`. */
    auth: { type: 'string', default: 'session' },
    /** Measures only what has this in its name, after the writing. */
    only: { type: 'string', default: '' },
    /** Leaves a profile of the node in this folder. */
    profile: { type: 'string' },
    /** Writes so many records instead, and says what memory the node has meanwhile. */
    memory: { type: 'string' },
  },
});
const [seconds, rounds, actorCount, connections] = [
  Number(values.seconds),
  Number(values.rounds),
  Number(values.actors),
  Number(values.connections),
] as const;

await using people = await People.start(actorCount + rounds + 3);
const [appView, archivist, source, ...others] = people.list;
const [actors, movers] = [others.slice(rounds), others.slice(0, rounds)];
if (!appView || !archivist || !source) throw new Error('there is nobody');
const flags = values.profile ? ['--cpu-prof', `--cpu-prof-dir=${values.profile}`] : [];
await using node = await startMeasuredNode({
  people,
  actors: [archivist, ...others],
  appView,
  flags,
});
const hasSessions = values.auth === 'session';
const credentials = hasSessions ? new DpopSessions(node.url) : serviceAuth;
const requests = new Requests(credentials, actors, archivist);
const refresh = () => requests.refresh();

if (values.memory) {
  await printMemory(node, requests, { writes: Number(values.memory), connections });
} else {
  await measureAll(appView, { movers, source });
}

async function measureAll(reader: Person, moving: ImportOptions): Promise<void> {
  const limits = await measureLimits(connections);
  printLimits(limits);
  console.log(`
One node, SQLite, ${actorCount} actors, ${values.auth}, ${connections} connections, ${rounds} × ${seconds} s
`);
  const { rss } = await node.usage();
  const check: Needs = hasSessions ? { proofs: 1 } : { verifications: 1 };
  const [writing, ...reading] = scenarios(requests, check);
  const chosen = reading.filter(({ name }) => name.includes(values.only));
  const rows: Row[] = [];
  const options = { refresh, connections, seconds, rounds };
  const written = await measure(node, writing, options);
  rows.push({ ...writing, ...written });
  await archive();
  for (const scenario of chosen) {
    const itemsEach = scenario.items?.(0);
    const row = { ...scenario, ...(itemsEach && { itemsEach }) };
    const atOnce = Math.min(connections, scenario.connections ?? connections);
    const measured = await measure(node, scenario, { ...options, connections: atOnce });
    rows.push({ ...row, ...measured });
  }
  if ('subscribeService'.includes(values.only)) {
    rows.push(await measureBackfill(node, reader, { frames: written.requests, rounds }));
  }
  if ('importRepo'.includes(values.only)) rows.push(await measureImport(node, moving));
  printMeasured(rows, limits);
  console.log(`\n${number(written.requests)} records written; memory before: ${number(rss)} MB`);
}

/** Fills the repo that is listed and exported. */
async function archive(): Promise<void> {
  await refresh();
  for (let done = 0; done < ARCHIVED; ) {
    const { count, ...request } = await requests.archive();
    await load(node.url, [request], 1);
    done += count;
  }
}
