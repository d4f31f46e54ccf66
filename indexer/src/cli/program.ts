import { runProgram } from '@stratos/protocol/cli';
import { ConfigError } from '@stratos/protocol/environment';
import { Command } from 'commander';
import { INDEXER_VERSION } from '../version.ts';
import { addAcceptRestored } from './commands/accept-restored.ts';
import { addPrune } from './commands/prune.ts';
import { addQuarantine } from './commands/quarantine.ts';
import { addReindex } from './commands/reindex.ts';
import { addStatus } from './commands/status.ts';
import { addVerify } from './commands/verify.ts';

const HELP = `
The database is that of DATABASE_URL. All commands may be used while indexers run.

Exit codes: 0 done, 1 failed or flaws found, 2 not a command.

Examples:
  $ stratos-indexer status
  $ stratos-indexer quarantine list --node did:web:node.example.com
  $ stratos-indexer reindex --actor did:plc:abc
  $ stratos-indexer verify --sample 1000`;

/** What `stratos-indexer` understands. */
function createProgram(): Command {
  const program = new Command('stratos-indexer')
    .description('Looks after the database of an AppView and the indexers that fill it.')
    .version(INDEXER_VERSION)
    .option('--json', 'prints JSON')
    .showHelpAfterError('(--help says more)')
    .addHelpText('after', HELP);
  addStatus(program);
  addQuarantine(program);
  addReindex(program);
  addAcceptRestored(program);
  addVerify(program);
  addPrune(program);
  return program;
}

/** Runs a command. Returns the exit code; what went wrong is one line on standard error. */
export async function run(args: readonly string[]): Promise<number> {
  return runProgram(createProgram(), args, [ConfigError]);
}
