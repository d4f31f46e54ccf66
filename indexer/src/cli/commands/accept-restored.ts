import type { Did } from '@stratos/protocol';
import { CliError, confirm, printJson } from '@stratos/protocol/cli';
import type { Command } from 'commander';
import { acceptRestored } from '../../nodes/accept-restored.ts';
import { parseDid, wantsJson, withDatabase } from '../settings.ts';

const HELP = `
A node that was restored from a backup knows less than it told before, and nothing is taken from it.
This takes it anew, as it is now:
- nobody reads anything of it any more, until the following is done;
- its log of memberships and its stream are read from their beginning;
- the repo of everybody who is a member is fetched; what the node has lost is gone here as well.

What was deleted, and who was removed, after the backup may be there again. That is for the node's
operator to put right, before or after.`;

export function addAcceptRestored(program: Command): void {
  program
    .command('accept-restored')
    .argument('<node>', 'its DID', parseDid)
    .description('takes a node anew that was restored from a backup')
    .option('-y, --yes', 'does not ask')
    .addHelpText('after', HELP)
    .action(async (node: Did, { yes }: { yes?: boolean }, command: Command) => {
      if (!yes) {
        await confirm(`Hide all of ${node} and take it anew, as it is after its backup?`);
      }
      const accepted = await withDatabase((db) => acceptRestored(db, node));
      if (!accepted) throw new CliError(`${node} is not known here`);
      if (wantsJson(command)) return printJson({ node, ...accepted });
      console.log(
        `${node} is taken anew: what ${accepted.people} people wrote is hidden until it is fetched`,
      );
    });
}
