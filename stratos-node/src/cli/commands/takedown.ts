import { isDid } from '@stratos/protocol';
import { CliError, printJson } from '@stratos/protocol/cli';
import { zone } from '@stratos/protocol/lexicons';
import type { Command } from 'commander';
import { adminClientOf, wantsJson } from '../settings.ts';

const method = zone.stratos.admin.takedown;

interface TakedownOptions {
  blob?: string;
  undo?: boolean;
  reason?: string;
}

export function addTakedown(program: Command): void {
  program
    .command('takedown <subject>')
    .description('takes down a record (at-uri), an account (did) or a blob (did with --blob)')
    .option('--blob <cid>', 'the blob, whose owner is the subject')
    .option('--undo', 'puts it back')
    .option('--reason <text>', 'for the audit log')
    .action(async (subject: string, options: TakedownOptions, command: Command) => {
      const { blob, undo = false, reason } = options;
      if (blob !== undefined && !isDid(subject)) throw new CliError('--blob goes with a DID');
      const client = await adminClientOf(command);
      const answer = await client.procedure<{ applied: boolean }>(method.$nsid, {
        ...(isDid(subject) ? { did: subject } : { uri: subject }),
        ...(blob !== undefined && { cid: blob }),
        ...(reason !== undefined && { ref: reason }),
        applied: !undo,
      });
      if (wantsJson(command)) return printJson(answer);
      console.log(`${blob ?? subject} is ${answer.applied ? 'taken down' : 'put back'}`);
    });
}
