import { once } from 'node:events';
import { CliError, sized } from '@stratos/protocol/cli';
import type { Command } from 'commander';
import { dataDirOf } from '../settings.ts';

export function addExport(program: Command): void {
  program
    .command('export <did>')
    .description("writes somebody's repo from a data folder to standard output, as a CAR")
    .action(async (did: string, _options, command: Command) => {
      const { exportActor } = await import('../data-folder/export-actor.ts');
      if (process.stdout.isTTY) throw new CliError('a CAR is no text: add > file.car');
      let bytes = 0;
      for (const chunk of exportActor(dataDirOf(command), did)) {
        bytes += chunk.length;
        if (!process.stdout.write(chunk)) await once(process.stdout, 'drain');
      }
      console.error(`${sized(bytes)} of ${did}`);
    });
}
