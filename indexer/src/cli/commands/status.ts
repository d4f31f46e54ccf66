import { printFacts, printJson, printTable } from '@stratos/protocol/cli';
import type { Command } from 'commander';
import { readStoredStatus, type StoredNode } from '../../health/stored-status.ts';
import { wantsJson, withDatabase } from '../settings.ts';

export function addStatus(program: Command): void {
  program
    .command('status')
    .description('says where the indexers are in each source, and what waits')
    .action(async (_options, command: Command) => {
      const status = await withDatabase(readStoredStatus);
      if (wantsJson(command)) return printJson(status);
      const { nodes, firehoses, indexers, queues } = status;
      printTable(
        ['Node', 'State', 'Position', 'Lag', 'Members', 'Quarantine'],
        nodes.map((node) => [
          node.did,
          stateOf(node),
          String(node.position),
          String(node.lag),
          String(node.members),
          String(node.quarantined),
        ]),
        'No node is known.',
      );
      printTable(
        ['Firehose', 'State', 'Position'],
        firehoses.map(({ source, follower, position }) => [
          source,
          follower === null ? 'nobody follows it' : `followed by ${nameOf(follower)}`,
          String(position),
        ]),
        'No firehose is followed.',
      );
      printFacts({
        indexers: indexers.length === 0 ? 'none' : indexers.map(nameOf).join(', '),
        resyncs: `${queues.resyncs} repos to be fetched, ${queues.failingResyncs} of them failing`,
        waiting: `${queues.waitingCommits} commits for those repos`,
        'public records': `of ${queues.pdsResyncs} people to be read`,
        lookups: `${queues.handles} handles, ${queues.unfoundNodes} enrollments without a node`,
        holds: `${queues.holds} hidden before their turn`,
        quarantine: `${queues.quarantined} refused`,
      });
    });
}

function stateOf({ follower, leaseUntil, rolledBackAt, stream }: StoredNode): string {
  const parts = [
    rolledBackAt && `rolled back since ${rolledBackAt.toISOString()}`,
    follower === null ? 'nobody follows it' : `followed by ${nameOf(follower)}`,
    stream === 'records' && 'person by person',
    leaseUntil && leaseUntil > new Date() ? 'served' : 'hidden: its lease is over',
  ];
  return parts.filter(Boolean).join(', ');
}

/** As it was named, or the beginning of its random name. */
function nameOf(indexer: string): string {
  const slash = indexer.indexOf('/');
  return slash > 0 ? indexer.slice(0, slash) : indexer.slice(0, 8);
}
