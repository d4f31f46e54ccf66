import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { CliError } from './cli-error.ts';

/** The operator's password: from the environment, or typed in without being shown. */
export async function password(): Promise<string> {
  const given = process.env['STRATOS_ADMIN_PASSWORD'];
  if (given) return given;
  if (!process.stdin.isTTY) throw new CliError('STRATOS_ADMIN_PASSWORD is not set');
  process.stderr.write('Password: ');
  const hidden = new Writable({ write: (_chunk, _encoding, done) => done() });
  const prompt = createInterface({ input: process.stdin, output: hidden, terminal: true });
  try {
    return await prompt.question('');
  } finally {
    prompt.close();
    process.stderr.write('\n');
  }
}

/** Asks for a yes. Throws {@link CliError} for anything else, and where nobody can be asked. */
export async function confirm(question: string): Promise<void> {
  if (!process.stdin.isTTY) throw new CliError('nobody can be asked here: give --yes');
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await prompt.question(`${question} [y/N] `);
    if (!/^y(es)?$/i.test(answer.trim())) throw new CliError('nothing was done');
  } finally {
    prompt.close();
  }
}
