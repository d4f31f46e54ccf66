import { ProofError } from '@stratos/protocol';
import { runProgram } from '@stratos/protocol/cli';
import { Command } from 'commander';
import { ExportError } from '../enrollment/exported-log.ts';
import { NODE_VERSION } from '../version.ts';
import { addAudit } from './commands/audit.ts';
import { addBackup } from './commands/backup.ts';
import { addBoundary } from './commands/boundary.ts';
import { addEnrollments } from './commands/enrollments.ts';
import { addExport } from './commands/export.ts';
import { addLog } from './commands/log.ts';
import { addOutbox } from './commands/outbox.ts';
import { addRotateKey } from './commands/rotate-key.ts';
import { addStatus } from './commands/status.ts';
import { addTakedown } from './commands/takedown.ts';
import { addUnenroll } from './commands/unenroll.ts';
import { addVerify } from './commands/verify.ts';

const HELP = `
Exit codes: 0 done, 1 failed or damage found, 2 not a command.

The password comes from STRATOS_ADMIN_PASSWORD, or is asked for. It is never an argument, which
everybody on the machine could read.

Examples:
  $ stratos-admin status --url http://localhost:3100
  $ stratos-admin boundary add did:plc:abc swordsmith
  $ stratos-admin log export > log.jsonl
  $ stratos-admin backup /backups/monday --data-dir /data`;

/** What `stratos-admin` understands. */
function createProgram(): Command {
  const program = new Command('stratos-admin')
    .description('Looks after a Stratos node: over its admin methods, or in its data folder.')
    .version(NODE_VERSION)
    .option('--url <url>', 'the node (default: STRATOS_PUBLIC_URL)')
    .option('--data-dir <folder>', 'its data folder (default: STRATOS_DATA_DIR, or ./data)')
    .option('--json', 'prints JSON')
    .showHelpAfterError('(--help says more)')
    .addHelpText('after', HELP);
  addStatus(program);
  addEnrollments(program);
  addBoundary(program);
  addUnenroll(program);
  addTakedown(program);
  addOutbox(program);
  addLog(program);
  addAudit(program);
  addRotateKey(program);
  addExport(program);
  addBackup(program);
  addVerify(program);
  return program;
}

/** Runs a command. Returns the exit code; what went wrong is one line on standard error. */
export async function run(args: readonly string[]): Promise<number> {
  return runProgram(createProgram(), args, [ExportError, ProofError]);
}
