import { readFile } from 'node:fs/promises';
import { loadOrCreateSigningKey, toDid } from '@stratos/protocol';
import {
  type ConformanceArguments,
  parseConformanceArguments,
  USAGE,
  UsageError,
} from './arguments.ts';
import { CHECKS } from './checks/index.ts';
import { LocalNodes } from './local/local-nodes.ts';
import { ConsoleReport, counts, listing } from './report.ts';
import { type Outcome, runChecks } from './run.ts';
import { accountList, meetPeople, UnsuitableAccountsError } from './world/accounts.ts';
import { AppView } from './world/caller.ts';
import { NoNodeError, RemoteNode } from './world/node.ts';
import { Operator } from './world/operator.ts';
import { World } from './world/world.ts';

/** Exit code of a command line that cannot be understood, and of accounts that do not do. */
const EXIT_USAGE = 2;
const EXPECTED = [UsageError, UnsuitableAccountsError, NoNodeError];

async function main(): Promise<number> {
  const options = parseConformanceArguments(process.argv.slice(2));
  const checks = CHECKS.filter(
    ({ group }) => options.only.length === 0 || options.only.includes(group),
  );
  if (checks.length === 0) throw new UsageError(`There is no group ${options.only.join(', ')}`);
  if (options.list) {
    console.log(listing(checks));
    return 0;
  }
  if (options.help || !options.target) {
    console.log(USAGE);
    return options.help ? 0 : EXIT_USAGE;
  }
  await using stack = new AsyncDisposableStack();
  const world = await findWorld(options, options.target, stack);
  const report = options.json ? undefined : new ConsoleReport(process.stdout);
  const outcomes: Outcome[] = [];
  for await (const outcome of runChecks(world, checks)) {
    outcomes.push(outcome);
    report?.add(outcome);
  }
  const node = world.node.url.origin;
  report?.end(outcomes, node);
  const summary = { node, did: world.node.did, ...counts(outcomes), checks: outcomes };
  if (options.json) console.log(JSON.stringify(summary, null, 2));
  return summary.failed > 0 ? 1 : 0;
}

async function findWorld(
  options: ConformanceArguments,
  target: NonNullable<ConformanceArguments['target']>,
  stack: AsyncDisposableStack,
): Promise<World> {
  if (target.kind === 'local') {
    return stack.use(await LocalNodes.start([target.backend])).world(target.backend);
  }
  const node = await RemoteNode.find(target.url);
  const password = process.env['STRATOS_ADMIN_PASSWORD'];
  return new World({
    node,
    ...(options.accounts && (await peopleOf(node, options.accounts))),
    ...(password && { operator: new Operator(node, password) }),
    ...(options.appView && { appView: await appViewOf(node, options.appView) }),
  });
}

async function peopleOf(node: RemoteNode, file: string) {
  const accounts = accountList.parse(JSON.parse(await readFile(file, 'utf8')));
  return meetPeople(node, accounts);
}

async function appViewOf(node: RemoteNode, { keyFile, did }: { keyFile: string; did: string }) {
  await readFile(keyFile);
  return new AppView(node, toDid(did), await loadOrCreateSigningKey(keyFile, 'secp256k1'));
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!EXPECTED.some((kind) => error instanceof kind)) throw error;
  console.error((error as Error).message);
  process.exitCode = EXIT_USAGE;
}
