import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { CliError, Progress, printFacts, printJson } from '@stratos/protocol/cli';
import { zone } from '@stratos/protocol/lexicons';
import type { Command } from 'commander';
import { z } from 'zod';
import { type CheckedLog, checkExportedLog, checkLogOf } from '../../enrollment/exported-log.ts';
import { password } from '../password.ts';
import { adminClientOf, nodeUrlOf, wantsJson } from '../settings.ts';

const { getMembershipLog, getStatus } = zone.stratos.admin;

/** An entry as the node answers it, and as a line of an exported log. */
const line = z.object({ seq: z.int(), cid: z.string(), entry: z.object({ $bytes: z.string() }) });
interface Page {
  entries: z.output<typeof line>[];
  cursor?: number;
}

export function addLog(program: Command): void {
  const group = program.command('log').description('the signed log of memberships');
  group
    .command('export')
    .description('writes it to standard output, one entry on each line')
    .action(async (_options, command: Command) => {
      const client = await adminClientOf(command);
      const status = await client.query<zone.stratos.admin.getStatus.$OutputBody>(getStatus.$nsid);
      using progress = new Progress('entries', status.membershipPosition);
      for await (const { entries } of client.pages<Page>(getMembershipLog.$nsid, { limit: 1000 })) {
        process.stdout.write(entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
        progress.add(entries.length);
      }
    });
  group
    .command('verify [file]')
    .description('checks an exported log, or the one that the node has now')
    .addHelpText(
      'after',
      "\nThe node's keys come from its DID document and its key history, never from the log.",
    )
    .action(async (file: string | undefined, _options, command: Command) => {
      const url = nodeUrlOf(command);
      const checked =
        file === undefined
          ? await checkExportedLog(url.href, await password())
          : await checkLogOf(url.href, entriesOf(file));
      report(command, checked);
    });
}

async function* entriesOf(file: string): AsyncGenerator<Uint8Array> {
  let place = 0;
  for await (const text of createInterface({ input: createReadStream(file) })) {
    place += 1;
    yield entryOf(text, `${file}:${place}`);
  }
}

function entryOf(text: string, place: string): Uint8Array {
  try {
    return Buffer.from(line.parse(JSON.parse(text)).entry.$bytes, 'base64');
  } catch (cause) {
    throw new CliError(`${place} is no entry of a log`, { cause });
  }
}

function report(command: Command, { service, head, standings }: CheckedLog): void {
  const people = [...standings.values()];
  const enrolled = people.filter(({ active }) => active).length;
  const left = people.length - enrolled;
  if (wantsJson(command)) printJson({ service, head: head ?? null, enrolled, left });
  else
    printFacts({
      node: service,
      entries: `${head?.seq ?? 0}, all signed and chained`,
      head: head?.cid ?? 'none',
      people: `${enrolled} enrolled, ${left} left`,
    });
}
