import { userInfo } from 'node:os';
import { createPrismaClient } from '@stratos/prisma';
import { isAtUri, isDid } from '@stratos/protocol';
import { printFacts, printJson, printTable, runProgram } from '@stratos/protocol/cli';
import { ConfigError, parseEnvironment, postgresUrl } from '@stratos/protocol/environment';
import { Command, InvalidArgumentError } from 'commander';
import { destination, pino } from 'pino';
import { z } from 'zod';
import { type Explanation, explainVisibility, type Step } from './explain-visibility.ts';

const HELP = `
The database is that of DATABASE_URL, by the login of the indexer: a gateway's own is shown too little.
What is asked is noted on standard error, one line of JSON: who, when, and what.

Example:
  $ stratos-gateway explain --uri at://did:plc:abc/zone.stratos.feed.post/3k… --viewer did:plc:xyz`;

const variables = z.object({ DATABASE_URL: postgresUrl });

interface ExplainOptions {
  uri: string;
  viewer: string;
  json?: boolean;
}

/** Runs a command. Returns the exit code; what went wrong is one line on standard error. */
export async function run(args: readonly string[]): Promise<number> {
  return runProgram(createProgram(), args, [ConfigError]);
}

function createProgram(): Command {
  const program = new Command('stratos-gateway')
    .description('Answers questions of the operator of a gateway.')
    .showHelpAfterError('(--help says more)')
    .addHelpText('after', HELP);
  program
    .command('explain')
    .description('says why somebody may or may not read a post, and nothing of what it says')
    .requiredOption('--uri <at-uri>', 'address of the post', checked(isAtUri, 'an AT-URI'))
    .requiredOption('--viewer <did>', 'who wants to read it', checked(isDid, 'a DID'))
    .option('--json', 'prints JSON')
    .action(explain);
  return program;
}

async function explain({ uri, viewer, json }: ExplainOptions): Promise<void> {
  if (!isAtUri(uri) || !isDid(viewer)) return;
  const { DATABASE_URL: url } = parseEnvironment(variables, process.env);
  const prisma = createPrismaClient(url, { poolSize: 1 });
  try {
    const explanations = await explainVisibility(prisma, { uri, viewer });
    const isVisible = explanations.map((one) => one.isVisible);
    const audit = pino({ name: 'gateway' }, destination({ dest: 2, sync: true }));
    audit.info({ operator: userInfo().username, uri, viewer, isVisible }, 'visibility explained');
    if (json) printJson(explanations);
    else print(explanations);
  } finally {
    await prisma.$disconnect();
  }
}

function print(explanations: readonly Explanation[]): void {
  if (explanations.length === 0) console.log('No node holds anything at this address.');
  for (const { node, isVisible, shared, steps, indexing } of explanations) {
    printFacts({ node, visible: yesOrNo(isVisible), shared: shared.join(', ') || 'nothing' });
    printTable(['The gateway asks whether', ''], steps.map(row), '');
    printTable(['The indexer asks whether', ''], indexing.map(row), '');
  }
}

function row({ rule, holds }: Step): string[] {
  return [rule, yesOrNo(holds)];
}

function yesOrNo(value: boolean): string {
  return value ? 'yes' : 'no';
}

function checked(isValid: (value: string) => boolean, what: string) {
  return (value: string): string => {
    if (isValid(value)) return value;
    throw new InvalidArgumentError(`It must be ${what}.`);
  };
}
