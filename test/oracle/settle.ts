import { setTimeout as sleep } from 'node:timers/promises';
import type { PrismaClient } from '@stratos/prisma';
import { appViewState, unsettled } from './appview-state.ts';
import { OracleError } from './oracle-error.ts';
import type { Story } from './story.ts';

const LOOK_MS = 500;
/** How long nothing that is wrong may stay the same: longer than anything waits for another attempt. */
const STILL_MS = 25_000;
const PATIENCE_MS = 600_000;

/**
 * Waits until the AppView is what the models of some stories say, as long as it goes on to become so.
 *
 * @throws OracleError naming the seeds of those for which it is not
 */
export async function settle(
  db: PrismaClient,
  stories: ReadonlyMap<number, Story>,
  lastWords: () => string,
): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  let last = { report: '', since: Date.now() };
  const pending = new Map(stories);
  for (;;) {
    await Promise.all([...pending.values()].map((story) => story.flush()));
    const wrong = await differences(db, pending);
    for (const seed of pending.keys()) if (!wrong.has(seed)) pending.delete(seed);
    if (pending.size === 0) return;
    const report = [...wrong].flatMap(([seed, found]) => [`seed ${seed}:`, ...found]).join('\n');
    const now = Date.now();
    if (report !== last.report) last = { report, since: now };
    if (now - last.since > STILL_MS || now > deadline) {
      const clues = await cluesOf(
        db,
        [...wrong.keys()].map((seed) => stories.get(seed)),
      );
      throw new OracleError([report, ...clues, lastWords()].join('\n'));
    }
    await sleep(LOOK_MS);
  }
}

/** What the indexer has refused, and how far it is with repos, of the people of some stories. */
async function cluesOf(
  db: PrismaClient,
  stories: readonly (Story | undefined)[],
): Promise<string[]> {
  const dids = stories.flatMap((story) => story?.people.map(({ did }) => did) ?? []);
  const where = { did: { in: dids } };
  const [refused, repos] = await Promise.all([
    db.quarantined.findMany({ where, orderBy: { id: 'asc' } }),
    db.repo.findMany({ where }),
  ]);
  return [
    ...refused.map(({ did, nodeDid, streamSeq, reason, uri }) => {
      return `  refused: ${did} of ${nodeDid} at ${streamSeq}: ${reason} ${uri ?? ''}`;
    }),
    ...repos.map(({ did, nodeDid, rev, isPartial }) => {
      return `  repo: ${did} of ${nodeDid} at ${rev}${isPartial ? ', in part' : ''}`;
    }),
  ];
}

/** What is not as it should be, by seed. */
async function differences(
  db: PrismaClient,
  stories: ReadonlyMap<number, Story>,
): Promise<Map<number, string[]>> {
  const people = [...stories.values()].flatMap((story) => story.people.map(({ did }) => did));
  const nodes = [...stories.values()].flatMap((story) => story.nodes);
  const positions = new Map(nodes.map(({ did, position }) => [did, position]));
  const state = await appViewState(db, { people, nodes: [...positions.keys()] });
  const open = await unsettled(db, positions);
  const wrong = new Map<number, string[]>();
  for (const [seed, { model, people, nodes }] of stories) {
    const dids = [...people, ...nodes].map(({ did }) => did);
    const { must, may } = model.expected();
    const found = new Set(dids.flatMap((did) => state.get(did) ?? []));
    const lines = [
      ...[...must.difference(found)].map((line) => `  missing: ${line}`),
      ...[...found.difference(must.union(may))].map((line) => `  too much: ${line}`),
      ...dids.flatMap((did) => open.get(did) ?? []).map((line) => `  open: ${line}`),
    ];
    if (lines.length > 0) wrong.set(seed, lines);
  }
  return wrong;
}
