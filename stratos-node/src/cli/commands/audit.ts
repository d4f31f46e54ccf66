import { printJson, printTable } from '@stratos/protocol/cli';
import { zone } from '@stratos/protocol/lexicons';
import type { Command } from 'commander';
import { adminClientOf, wantsJson } from '../settings.ts';

const method = zone.stratos.admin.getAuditLog;

export function addAudit(program: Command): void {
  program
    .command('audit')
    .description('lists what operators did or tried, newest first')
    .option('--limit <count>', 'how many', '100')
    .action(async ({ limit }: { limit: string }, command: Command) => {
      const client = await adminClientOf(command);
      const { entries } = await client.query<zone.stratos.admin.getAuditLog.$OutputBody>(
        method.$nsid,
        { limit },
      );
      if (wantsJson(command)) return printJson(entries);
      printTable(
        ['When', 'From', 'What', 'Whom', 'Detail', 'Outcome'],
        entries.map(({ time, address, action, did = '', detail = '', outcome }) => [
          time,
          address,
          action.slice(action.lastIndexOf('.') + 1),
          did,
          detail,
          outcome,
        ]),
        'Nothing yet.',
      );
    });
}
