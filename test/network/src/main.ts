import { resolve } from 'node:path';
import { parseStartArguments, START_USAGE } from './arguments.ts';
import { ConsoleReport } from './console-report.ts';
import { styleFor } from './console-style.ts';
import { DEFAULT_DATA_FOLDER } from './data-folder.ts';
import { endScreen } from './end-screen.ts';
import { startLocalNetwork } from './local-network.ts';
import { portsFromEnvironment } from './ports.ts';

const INTERRUPTED = 130;
/** Ctrl-C arrives twice at once: from the terminal, and from npm, which passes it on. */
const ECHO_MS = 1000;

/** `npm start` */
async function main(): Promise<void> {
  const { fresh, ephemeral, help } = parseStartArguments(process.argv.slice(2));
  if (help) return console.log(START_USAGE);

  const stop = new AbortController();
  const stopped = new Promise<void>((wake) => {
    stop.signal.addEventListener('abort', () => wake());
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onStopSignal);
  let firstAskedAt = 0;
  function onStopSignal(): void {
    if (stop.signal.aborted) {
      // Whoever asks twice does not want to wait: the services are killed as this process exits.
      if (performance.now() - firstAskedAt > ECHO_MS) process.exit(INTERRUPTED);
      return;
    }
    firstAskedAt = performance.now();
    stop.abort();
    console.log('\nStopping. Once more to kill.');
  }

  const style = styleFor(process.stdout);
  const ports = portsFromEnvironment(process.env);
  console.log(`\n${style.bold('Stratos Gateway')}, a local network\n`);
  try {
    const report = new ConsoleReport(process.stdout);
    const dataDir = resolve(process.env['LOCAL_DATA_DIR'] || DEFAULT_DATA_FOLDER);
    const options = { fresh, ephemeral, ports, report, dataDir, webApp: true, signal: stop.signal };
    await using network = await startLocalNetwork(options);
    const { topology } = network;
    console.log(endScreen({ ports, topology, dataDir: network.dataDir, ephemeral }, style));
    await stopped;
  } catch (error) {
    if (!stop.signal.aborted || (error as Error).name !== 'AbortError') throw error;
  }
  console.log('Stopped.');
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(`\n${error instanceof Error ? explain(error) : error}\n`);
    process.exit(1);
  },
);

/** The message alone where it says everything; the place too where nobody expected the error. */
function explain(error: Error): string {
  const expected = ['FolderInUseError', 'PortError', 'ServiceStartError', 'UsageError'];
  return expected.includes(error.name) ? error.message : (error.stack ?? error.message);
}
