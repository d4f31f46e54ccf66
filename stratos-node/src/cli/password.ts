import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { CliError } from '@stratos/protocol/cli';

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
