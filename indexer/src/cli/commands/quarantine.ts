import type { Quarantined } from '@stratos/prisma';
import { CliError, printFacts, printJson, printTable } from '@stratos/protocol/cli';
import type { Command } from 'commander';
import type { Database } from '../../database.ts';
import {
  findQuarantined,
  listQuarantined,
  type Retried,
  retryQuarantined,
} from '../../quarantine/quarantine.ts';
import { meaningOf } from '../../quarantine/reasons.ts';
import { parseCount, parseDid, wantsJson, withDatabase } from '../settings.ts';

interface Filters {
  node?: string;
  actor?: string;
  reason?: string;
  limit: number;
}

const OUTCOMES: Record<Retried, string> = {
  repo: 'the repo is fetched anew',
  'public-records': 'the public records are read anew',
  'not-a-member': 'nothing to fetch: the person is no member of the node',
  node: 'nothing to fetch: it is about the node, which is tried again by itself',
  'no-room': 'too many strangers wait already; try again later',
};

export function addQuarantine(program: Command): void {
  const group = program
    .command('quarantine')
    .description('what was refused, and why; never its content');
  filtered(group.command('list'))
    .description('lists what was refused, the newest first')
    .action(async (options: Filters, command: Command) => {
      const { rows, count } = await withDatabase((db) => found(db, options));
      if (wantsJson(command)) return printJson(rows.map(toJson));
      printTable(
        ['Number', 'Refused', 'Source', 'Person', 'Reason', 'Retried'],
        rows.map(({ id, refusedAt, nodeDid, did, reason, retriedAt }) => [
          String(id),
          refusedAt.toISOString(),
          nodeDid,
          did ?? '',
          reason,
          retriedAt?.toISOString() ?? '',
        ]),
        'Nothing was refused.',
      );
      if (count > rows.length) console.log(`${count - rows.length} more; --limit shows them`);
    });
  group
    .command('show <number>')
    .description('says all that is known of a refusal')
    .action(async (number: string, _options, command: Command) => {
      const row = await withDatabase((db) => one(db, number));
      if (wantsJson(command)) return printJson(toJson(row));
      const { id, refusedAt, nodeDid, did, uri, streamSeq, reason, retriedAt } = row;
      printFacts({
        number: String(id),
        refused: refusedAt.toISOString(),
        source: nodeDid,
        person: did ?? 'nobody',
        record: uri ?? 'none',
        position: streamSeq === null ? 'unknown' : String(streamSeq),
        reason: `${reason}: ${meaningOf(reason)}`,
        retried: retriedAt?.toISOString() ?? 'never',
      });
    });
  filtered(group.command('retry [numbers...]'))
    .description('asks anew for the repos, or public records, of those who were refused')
    .addHelpText('after', '\nBy numbers, or all that --node, --actor and --reason select.')
    .action(async (numbers: string[], options: Filters, command: Command) => {
      const { node, actor, reason } = options;
      if (numbers.length === 0 && !node && !actor && !reason) {
        throw new CliError('which? Give numbers, --node, --actor or --reason');
      }
      const outcomes = await withDatabase(async (db) => {
        const rows =
          numbers.length > 0
            ? await Promise.all(numbers.map((number) => one(db, number)))
            : (await found(db, options)).rows;
        const done = [];
        for (const row of rows) {
          done.push({ number: Number(row.id), outcome: await retryQuarantined(db, row) });
        }
        return done;
      });
      if (wantsJson(command)) return printJson(outcomes);
      printTable(
        ['Number', 'What is done'],
        outcomes.map(({ number, outcome }) => [String(number), OUTCOMES[outcome]]),
        'Nothing was refused.',
      );
    });
}

function filtered(command: Command): Command {
  return command
    .option('--node <source>', 'of a node, by its DID, or of a firehose, by its address')
    .option('--actor <did>', 'about a person', parseDid)
    .option('--reason <code>', 'for this reason')
    .option('--limit <count>', 'how many at most', parseCount, 100);
}

function found(db: Database, { node, actor, reason, limit }: Filters) {
  return listQuarantined(db, { source: node, did: actor, reason }, limit);
}

async function one(db: Database, number: string): Promise<Quarantined> {
  const row = /^\d{1,18}$/.test(number) ? await findQuarantined(db, BigInt(number)) : undefined;
  if (!row) throw new CliError(`there is no refusal with the number ${number}`);
  return row;
}

function toJson({ id, streamSeq, ...rest }: Quarantined) {
  return { id: Number(id), streamSeq: streamSeq === null ? null : Number(streamSeq), ...rest };
}
