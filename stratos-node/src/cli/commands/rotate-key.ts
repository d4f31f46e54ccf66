import { confirm, printFacts, printJson } from '@stratos/protocol/cli';
import { zone } from '@stratos/protocol/lexicons';
import type { Command } from 'commander';
import { adminClientOf, wantsJson } from '../settings.ts';

type Answer = zone.stratos.admin.rotateSigningKey.$OutputBody;

const method = zone.stratos.admin.rotateSigningKey;

export function addRotateKey(program: Command): void {
  program
    .command('rotate-key')
    .description('gives the node a new signing key; the old one stays in its history')
    .option('-y, --yes', 'does not ask')
    .action(async ({ yes }: { yes?: boolean }, command: Command) => {
      if (!yes) await confirm('Give the node a new signing key? It cannot go back.');
      const client = await adminClientOf(command);
      const answer = await client.procedure<Answer>(method.$nsid, {});
      if (wantsJson(command)) return printJson(answer);
      printFacts({
        key: answer.key,
        republished: `${answer.republished} enrollment records will be written anew`,
      });
    });
}
