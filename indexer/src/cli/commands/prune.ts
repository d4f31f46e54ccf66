import { CliError, Progress, printFacts, printJson } from '@stratos/protocol/cli';
import type { Command } from 'commander';
import { prunables } from '../../pruning/prunable.ts';
import { PruningElsewhereError, prune } from '../../pruning/prune.ts';
import { parseDays, wantsJson, withDatabase } from '../settings.ts';

const HELP = `
Always: changes that gateways were told more than an hour ago, proofs that show no post, and commits
that wait for a repo that nobody fetches. A running indexer does all of this by itself, other than
--left-days, with the days that are the defaults here.`;

interface Options {
  tombstoneDays: number;
  quarantineDays: number;
  leftDays?: number;
  dryRun?: boolean;
}

export function addPrune(program: Command): void {
  program
    .command('prune')
    .description('removes what need not be kept, a few rows at a time')
    .option('--tombstone-days <days>', 'for which deletions are remembered', parseDays, 30)
    .option('--quarantine-days <days>', 'for which refusals are listed', parseDays, 90)
    .option('--left-days <days>', 'after which posts go of people who left their node', parseDays)
    .option('--dry-run', 'only counts')
    .addHelpText('after', HELP)
    .action(async ({ dryRun, ...options }: Options, command: Command) => {
      const counts = await withDatabase(async (db) => {
        const counted: Record<string, number> = {};
        for (const [kind, prunable] of Object.entries(prunables(options))) {
          counted[kind] = await prunable.count(db);
        }
        if (dryRun) return counted;
        const total = Object.values(counted).reduce((sum, count) => sum + count, 0);
        using bar = new Progress('removing', total);
        for (const [kind, prunable] of Object.entries(prunables(options))) {
          counted[kind] = await prune(db, prunable, (count) => bar.add(count));
        }
        return counted;
      }).catch((error) => {
        throw error instanceof PruningElsewhereError ? new CliError(error.message) : error;
      });
      if (wantsJson(command)) return printJson({ dryRun: dryRun === true, ...counts });
      const facts = Object.entries(counts).map(([kind, count]) => [kind, String(count)]);
      console.log(dryRun ? 'Would be removed:' : 'Removed:');
      printFacts(Object.fromEntries(facts));
    });
}
