import { createInterface } from 'node:readline/promises';
import { CliError } from './cli-error.ts';

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
