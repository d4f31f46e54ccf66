import { createIdentityResolver } from '@stratos/protocol';
import { Progress, printFacts, printJson, printTable } from '@stratos/protocol/cli';
import { commonVariables, parseEnvironment } from '@stratos/protocol/environment';
import type { Command } from 'commander';
import { z } from 'zod';
import { FLAWS } from '../../verifying/flaw.ts';
import { NodeKeys } from '../../verifying/node-keys.ts';
import { verifyStored } from '../../verifying/verify.ts';
import { parseCount, parseDid, wantsJson, withDatabase } from '../settings.ts';

const FOUND = 1;

const HELP = `
Of each person at each node: that the node has signed what it states of them, that their posts are in
a repo that their key has signed, byte for byte, and that each post is to be read where the rules
have it and nowhere else. Keys of nodes come from their DID documents, so nodes are asked; --offline
leaves the signatures of nodes out.

What cannot be recomputed: whether authors held a boundary when they wrote, the public records of
enrollments, and whether the node has more than what is here (reindex finds that).

Exit code 1, and a list, if something is wrong. Changes nothing.`;

const network = z.object(commonVariables);

interface Options {
  node?: string;
  actor?: string;
  sample?: number;
  offline?: boolean;
}

export function addVerify(program: Command): void {
  program
    .command('verify')
    .description('recomputes what is stored from its proofs')
    .option('--node <did>', 'of a node', parseDid)
    .option('--actor <did>', 'of a person', parseDid)
    .option('--sample <people>', 'of so many people, by chance', parseCount)
    .option('--offline', 'asks no node for its keys')
    .addHelpText('after', HELP)
    .action(async ({ node, actor, sample, offline }: Options, command: Command) => {
      const keys = offline ? undefined : new NodeKeys(identityOfEnvironment());
      let progress: Progress | undefined;
      const report = await withDatabase((db) =>
        verifyStored(db, {
          ...{ nodeDid: node, did: actor, sample, keys },
          onStart: (people) => {
            progress = new Progress('people', people);
          },
          onPerson: () => progress?.add(),
        }),
      ).finally(() => progress?.[Symbol.dispose]());
      const { people, posts, found, flaws } = report;
      if (found > 0) process.exitCode = FOUND;
      if (wantsJson(command)) return printJson({ ...report, offline: offline === true });
      if (found > 0) {
        printTable(
          ['Node', 'Person', 'Post', 'Flaw', 'Meaning'],
          flaws.map(({ nodeDid, did = '', uri = '', kind }) => [
            nodeDid,
            did,
            uri.slice(uri.lastIndexOf('/') + 1),
            kind,
            FLAWS[kind],
          ]),
          '',
        );
      }
      printFacts({
        people: String(people),
        posts: String(posts),
        flaws: found > flaws.length ? `${found}, the first ${flaws.length} listed` : String(found),
        ...(offline && { 'not checked': 'the signatures of nodes' }),
      });
    });
}

function identityOfEnvironment() {
  const values = parseEnvironment(network, process.env);
  const { STRATOS_PLC_URL: plcUrl, STRATOS_DEV_MODE: devMode } = values;
  return createIdentityResolver({ plcUrl, devMode });
}
