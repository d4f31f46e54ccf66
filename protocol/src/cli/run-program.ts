import { type Command, CommanderError } from 'commander';
import { CliError } from './cli-error.ts';

const DONE = 0;
const FAILED = 1;
const MISUSED = 2;

/**
 * Runs a command of a program. Returns the exit code; what went wrong is one line on standard error.
 *
 * @param expected - errors beside {@link CliError} whose message says it all
 */
export async function runProgram(
  program: Command,
  args: readonly string[],
  expected: readonly (new (...args: never[]) => Error)[] = [],
): Promise<number> {
  exitByThrowing(program);
  try {
    await program.parseAsync([...args], { from: 'user' });
    return Number(process.exitCode ?? DONE);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? DONE : MISUSED;
    const isExpected = [CliError, ...expected].some((kind) => error instanceof kind);
    console.error(`${program.name()}: ${explain(error, isExpected)}`);
    return FAILED;
  }
}

function exitByThrowing(command: Command): void {
  command.exitOverride();
  for (const below of command.commands) exitByThrowing(below);
}

function explain(error: unknown, isExpected: boolean): string {
  if (!(error instanceof Error)) return String(error);
  return isExpected ? error.message : `${error.name}: ${error.message}`;
}
