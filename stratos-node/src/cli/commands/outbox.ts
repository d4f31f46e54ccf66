import { printJson, printTable } from '@stratos/protocol/cli';
import { zone } from '@stratos/protocol/lexicons';
import type { Command } from 'commander';
import { adminClientOf, wantsJson } from '../settings.ts';

type Page = zone.stratos.admin.listOutbox.$OutputBody;

const { listOutbox, requeueOutbox } = zone.stratos.admin;

export function addOutbox(program: Command): void {
  const group = program
    .command('outbox')
    .description("lists what waits to be written to people's PDSes")
    .option('--parked', 'what waits for you')
    .option('--did <did>', 'of one person')
    .action(async (options: { parked?: boolean; did?: string }, command: Command) => {
      const client = await adminClientOf(command);
      const jobs = [];
      for await (const page of client.pages<Page>(listOutbox.$nsid, { ...options, limit: 1000 })) {
        jobs.push(...page.jobs);
      }
      if (wantsJson(command)) return printJson(jobs);
      printTable(
        ['Job', 'DID', 'Kind', 'Tried', 'Due', 'Parked because'],
        jobs.map(({ id, did, kind, attempts, dueAt, parkedReason }) => [
          String(id),
          did,
          kind,
          String(attempts),
          dueAt,
          parkedReason ?? '',
        ]),
        'Nothing waits.',
      );
    });
  group
    .command('requeue')
    .description('takes up what is parked')
    .option('--did <did>', 'of one person')
    .action(async (_options, command: Command) => {
      const { did } = command.optsWithGlobals<{ did?: string }>();
      const client = await adminClientOf(command);
      const answer = await client.procedure<{ requeued: number }>(
        requeueOutbox.$nsid,
        did === undefined ? {} : { did },
      );
      if (wantsJson(command)) return printJson(answer);
      console.log(`${answer.requeued} parked jobs are taken up again`);
    });
}
