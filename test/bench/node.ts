import { parseArgs } from 'node:util';
import { measureLimits } from './machine/limits.ts';
import { measureBackfill } from './node/backfill.ts';
import { measure } from './node/measure.ts';
import { startMeasuredNode } from './node/measured-node.ts';
import { printLimits, printMeasured, type Row } from './node/report.ts';
import { scenarios } from './node/requests.ts';
import { People } from './people.ts';
import { number } from './table.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
    actors: { type: 'string', default: '20' },
    connections: { type: 'string', default: '16' },
    /** Measures the writing alone, and leaves a profile of the node in this folder. */
    'profile-writes': { type: 'string' },
  },
});
const profile = values['profile-writes'];
const [seconds, rounds, actorCount, connections] = [
  Number(values.seconds),
  Number(values.rounds),
  Number(values.actors),
  Number(values.connections),
] as const;

const limits = await measureLimits(connections);
printLimits(limits);

await using people = await People.start(actorCount + 1);
const [appView, ...actors] = people.list;
if (!appView) throw new Error('there is no AppView');
const flags = profile ? ['--cpu-prof', `--cpu-prof-dir=${profile}`] : [];
await using node = await startMeasuredNode({ people, actors, appView, flags });
console.log(`
One node, SQLite, ${actorCount} actors, ${connections} connections, ${rounds} × ${seconds} s
`);

const { rss } = await node.usage();
const [writing, ...reading] = scenarios(actors);
const rows: Row[] = [];
let written = 0;
for (const scenario of writing ? [writing, ...(profile ? [] : reading)] : []) {
  const measured = await measure(node, scenario, { connections, seconds, rounds });
  if (scenario === writing) written = measured.requests;
  rows.push({ ...scenario, ...measured });
}
if (!profile) {
  const frames = actorCount + written;
  rows.push(await measureBackfill(node, appView, { frames, rounds }));
}
printMeasured(rows, limits);
console.log(`\n${number(written)} records written; memory before: ${number(rss)} MB`);
