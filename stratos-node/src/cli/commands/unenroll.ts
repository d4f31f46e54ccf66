import { confirm, printJson } from '@stratos/protocol/cli';
import { zone } from '@stratos/protocol/lexicons';
import type { Command } from 'commander';
import { adminClientOf, wantsJson } from '../settings.ts';

const method = zone.stratos.admin.unenroll;

export function addUnenroll(program: Command): void {
  program
    .command('unenroll <did>')
    .description("ends somebody's enrollment: nobody else reads anything of theirs any more")
    .option('-y, --yes', 'does not ask')
    .action(async (did: string, { yes }: { yes?: boolean }, command: Command) => {
      if (!yes) await confirm(`End the enrollment of ${did}?`);
      const client = await adminClientOf(command);
      const answer = await client.procedure(method.$nsid, { did });
      if (wantsJson(command)) return printJson(answer);
      console.log(`${did} is not enrolled any more`);
    });
}
