import { printFacts, printJson } from '@stratos/protocol/cli';
import { zone } from '@stratos/protocol/lexicons';
import type { Command } from 'commander';
import { adminClientOf, wantsJson } from '../settings.ts';

type Answer = zone.stratos.admin.setBoundaries.$OutputBody;

const { addBoundary: add, removeBoundary: remove, setBoundaries: set } = zone.stratos.admin;

export function addBoundary(program: Command): void {
  const group = program
    .command('boundary')
    .description('changes what somebody is a member of, at once')
    .addHelpText('after', '\nA boundary is given by its name here, or in full: did:web:node/name.');
  group
    .command('add <did> <names...>')
    .description('makes them a member')
    .action(async (did: string, names: string[], _options, command: Command) => {
      await changeEach(command, add.$nsid, did, names);
    });
  group
    .command('remove <did> <names...>')
    .description('makes them a member no longer')
    .action(async (did: string, names: string[], _options, command: Command) => {
      await changeEach(command, remove.$nsid, did, names);
    });
  group
    .command('set <did> [names...]')
    .description('makes them a member of these and of no others')
    .action(async (did: string, boundaries: string[], _options, command: Command) => {
      const client = await adminClientOf(command);
      report(command, await client.procedure<Answer>(set.$nsid, { did, boundaries }));
    });
}

async function changeEach(
  command: Command,
  nsid: string,
  did: string,
  names: readonly string[],
): Promise<void> {
  const client = await adminClientOf(command);
  let answer: Answer | undefined;
  for (const boundary of names) answer = await client.procedure(nsid, { did, boundary });
  if (answer) report(command, answer);
}

function report(command: Command, answer: Answer): void {
  if (wantsJson(command)) printJson(answer);
  else printFacts({ person: answer.did, boundaries: answer.boundaries.join(' ') || 'none' });
}
