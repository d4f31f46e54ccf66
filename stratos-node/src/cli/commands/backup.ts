import { Progress, printFacts, printJson, sized } from '@stratos/protocol/cli';
import type { Command } from 'commander';
import { dataDirOf, wantsJson } from '../settings.ts';

export function addBackup(program: Command): void {
  program
    .command('backup <target>')
    .description('copies a data folder into a new one; the node may be running')
    .addHelpText('after', '\nA folder with backup.json is complete. To restore, copy it back.')
    .action(async (target: string, _options, command: Command) => {
      const { backUp } = await import('../data-folder/back-up.ts');
      let progress: Progress | undefined;
      const made = await backUp(dataDirOf(command), target, {
        onStart: (actors) => {
          progress = new Progress('repos', actors);
        },
        onActor: () => progress?.add(),
      }).finally(() => progress?.[Symbol.dispose]());
      if (wantsJson(command)) return printJson(made);
      printFacts({
        backup: target,
        repos: String(made.actors),
        files: `${made.files}, ${sized(made.bytes)}`,
        stream: `at ${made.streamPosition}`,
      });
    });
}
