import { setTimeout as sleep } from 'node:timers/promises';
import type { Did } from '@stratos/protocol';
import { lockNodeState } from '../../applying/node-state.ts';
import { inTransaction } from '../../database.ts';
import type { FollowerContext, SourceStatus } from '../node-follower.ts';
import { NodeIdentityError, resolveNode } from '../node-identity.ts';
import { AttestRounds } from './attest-round.ts';
import { listenInTurns } from './listen-in-turns.ts';

/**
 * Follows a node without a stream of all: it is asked who is a member, and the streams of its people
 * say when to fetch their repos. Ends when the signal says so.
 *
 * @throws StatusError for a node that does not answer, GarbledStreamError for what is no stream
 */
export async function followRecords(
  context: FollowerContext & { onApplied: () => void },
  nodeDid: Did,
  status: SourceStatus,
  signal: AbortSignal,
): Promise<void> {
  const { db, identity, fence, logger } = context;
  const node = await resolveNode(identity, nodeDid);
  await inTransaction(db, async (tx) => {
    await lockNodeState(tx, nodeDid, fence);
    const data = { stream: 'records', endpoint: node.endpoint };
    await tx.node.update({ where: { did: nodeDid }, data });
  });
  const stop = new AbortController();
  const ends = AbortSignal.any([signal, stop.signal]);
  const rounds = new AttestRounds();
  const source = { ...context, nodeDid, fetch: identity.fetch, signal: ends };
  const show = (sockets: number) => {
    status.people = { sockets, waiting: Math.max(0, rounds.members - sockets) };
  };

  const attest = async () => {
    const everyMs = context.leaseSeconds * 500;
    while (!ends.aborted) {
      const begun = performance.now();
      const now = await resolveNode(identity, nodeDid);
      if (now.endpoint !== node.endpoint) throw new NodeIdentityError('the node has moved');
      await rounds.run({ ...source, node: now });
      context.onApplied();
      if (!status.connected) logger.info('following the people of the node one by one');
      status.connected = true;
      const left = begun + everyMs - performance.now();
      if (left > 0) await sleep(left, undefined, { signal: ends });
    }
  };
  const listen = () =>
    listenInTurns({ ...source, node, members: () => rounds.members, onListening: show }, ends);

  const parts = [attest, listen].map((part) =>
    part().catch((error) => {
      if (!ends.aborted) stop.abort(error);
    }),
  );
  await Promise.all(parts);
  status.people = undefined;
  if (stop.signal.aborted) throw stop.signal.reason;
}
