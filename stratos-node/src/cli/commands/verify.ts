import { Progress, printFacts, printJson } from '@stratos/protocol/cli';
import type { Command } from 'commander';
import { dataDirOf, wantsJson } from '../settings.ts';

const DAMAGED = 1;

export function addVerify(program: Command): void {
  program
    .command('verify')
    .description('checks every repo of a data folder: signatures, trees, hashes, rows and logs')
    .addHelpText('after', '\nExit code 1, and a list, if something is damaged. Changes nothing.')
    .action(async (_options, command: Command) => {
      const { verifyFolder } = await import('../data-folder/verify-folder.ts');
      let progress: Progress | undefined;
      const report = await verifyFolder(dataDirOf(command), {
        onStart: (actors) => {
          progress = new Progress('repos', actors);
        },
        onActor: () => progress?.add(),
      }).finally(() => progress?.[Symbol.dispose]());
      const { repos, records, damage } = report;
      if (damage.length > 0) process.exitCode = DAMAGED;
      if (wantsJson(command)) return printJson(report);
      for (const { subject, what } of damage) console.log(`${subject}: ${what}`);
      printFacts({
        repos: String(repos),
        records: String(records),
        damage: damage.length === 0 ? 'none' : String(damage.length),
      });
    });
}
