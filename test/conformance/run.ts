import { type Check, NEEDS, SkippedError } from './check.ts';
import type { World } from './world/world.ts';

export interface Outcome {
  group: string;
  name: string;
  result: 'passed' | 'failed' | 'skipped';
  /** Why it was skipped, or what was not as it should be. */
  reason?: string;
  milliseconds: number;
}

/** Runs checks one after the other, each in a world that the one before has tidied up. */
export async function* runChecks(
  world: World,
  checks: readonly Check[],
): AsyncGenerator<Outcome, void, undefined> {
  for (const check of checks) yield await runCheck(world, check);
}

/** Runs one check and tidies up after it, however it ends. */
export async function runCheck(world: World, check: Check): Promise<Outcome> {
  const { group, name } = check;
  const start = performance.now();
  const outcome = await attempt(world, check);
  return { group, name, ...outcome, milliseconds: Math.round(performance.now() - start) };
}

async function attempt(world: World, check: Check): Promise<Pick<Outcome, 'result' | 'reason'>> {
  const lacking = world.lacks(check.needs);
  if (lacking) return { result: 'skipped', reason: `needs ${NEEDS[lacking]}` };
  const failures: unknown[] = [];
  try {
    await check.run(world);
  } catch (error) {
    failures.push(error);
  }
  try {
    await world.cleanUp();
  } catch (error) {
    failures.push(new Error(`cleaning up: ${messageOf(error)}`, { cause: error }));
  }
  const [first] = failures;
  if (first instanceof SkippedError) return { result: 'skipped', reason: first.message };
  if (first !== undefined) return { result: 'failed', reason: failures.map(messageOf).join('\n') };
  return { result: 'passed' };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
