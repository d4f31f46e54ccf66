import { setTimeout as sleep } from 'node:timers/promises';
import { CliError, Progress, printJson } from '@stratos/protocol/cli';
import type { Command } from 'commander';
import type { Database } from '../../database.ts';
import {
  askForSelected,
  countRepos,
  type ReindexProgress,
  type RepoSelection,
  reindexProgress,
} from '../../resync/reindex.ts';
import { parseDid, wantsJson, withDatabase } from '../settings.ts';

const LOOK_MS = 500;

const HELP = `
The indexers do it, a few repos of each node at a time; what is known stays to be read meanwhile. What
verify finds wrong with posts, and with where they are to be read, is put right.
Ended with Ctrl-C, this ends the watching alone.`;

interface Options {
  node?: string;
  actor?: string;
  wait: boolean;
}

export function addReindex(program: Command): void {
  program
    .command('reindex')
    .description('has repos be fetched from their nodes anew')
    .option('--node <did>', 'those of a node', parseDid)
    .option('--actor <did>', 'those of a person', parseDid)
    .option('--no-wait', 'only asks for them')
    .addHelpText('after', HELP)
    .action(async ({ node: nodeDid, actor: did, wait }: Options, command: Command) => {
      const selection = { nodeDid, did };
      const report = await withDatabase((db) => reindex(db, selection, wait));
      if (report.failing > 0) process.exitCode = 1;
      if (wantsJson(command)) return printJson(report);
      const { repos, waiting, failing } = report;
      if (repos === 0) console.log('There is nothing to fetch.');
      else if (!wait) console.log(`${repos} repos are asked for`);
      else if (failing > 0)
        console.log(`${repos - waiting} of ${repos} repos fetched; ${failing} fail`);
      else console.log(`${repos} repos fetched`);
    });
}

async function reindex(
  db: Database,
  selection: RepoSelection,
  wait: boolean,
): Promise<ReindexProgress & { repos: number }> {
  const repos = await countRepos(db, selection);
  {
    using bar = new Progress('asking', repos);
    await askForSelected(db, selection, (count) => bar.add(count));
  }
  if (!wait) return { repos, waiting: repos, failing: 0 };
  return { repos, ...(await watch(db, selection, repos)) };
}

/** Until all are fetched, or nothing but failures is left. */
async function watch(
  db: Database,
  selection: RepoSelection,
  repos: number,
): Promise<ReindexProgress> {
  using bar = new Progress('fetching', repos);
  for (let before = repos; ; ) {
    const progress = await reindexProgress(db, selection);
    bar.add(Math.max(0, before - progress.waiting));
    before = Math.min(before, progress.waiting);
    if (progress.waiting === progress.failing) return progress;
    const isAnybodyThere = await db.follower.count({ where: { aliveUntil: { gt: new Date() } } });
    if (isAnybodyThere === 0) {
      throw new CliError('they are asked for; but no indexer is running that would fetch them');
    }
    await sleep(LOOK_MS);
  }
}
