import { ConfigError } from './environment.ts';

/** Milliseconds that an orderly stop may take; whoever asked for it is promised ten seconds. */
const STOP_WITHIN_MS = 9_500;
/** Exit code of a process that SIGTERM ended. */
const TERMINATED = 143;
/** Supervisors and `timeout` signal a process and then its group, so one signal arrives twice. */
const ECHO_MS = 1_000;

/**
 * The life of a service's process: starts it, and on SIGTERM or SIGINT stops it in order and exits
 * with 0, at the latest after ten seconds; a second SIGTERM ends it at once, unless it is
 * the echo of the first. A service that cannot start exits with 1 and says why.
 *
 * @param name - for the message on standard error
 */
export async function runService(
  name: string,
  start: () => Promise<AsyncDisposable>,
): Promise<never> {
  // @NOTE before it has started, so that no signal finds nobody listening
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve());
    exitWhenToldAgain();
  });
  try {
    const service = await start();
    await stopped;
    setTimeout(() => process.exit(0), STOP_WITHIN_MS).unref();
    await service[Symbol.asyncDispose]();
    process.exit(0);
  } catch (error) {
    console.error(`${name} cannot run:`, explain(error));
    process.exit(1);
  }
}

function exitWhenToldAgain(): void {
  let firstAt: number | undefined;
  process.on('SIGTERM', () => {
    firstAt ??= performance.now();
    if (performance.now() - firstAt > ECHO_MS) process.exit(TERMINATED);
  });
}

/** The message alone where it says everything; the whole error where nobody expected it. */
function explain(error: unknown): unknown {
  if (error instanceof ConfigError) return error.message;
  if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) return error;
  return `port ${'port' in error ? error.port : ''} is in use`;
}
