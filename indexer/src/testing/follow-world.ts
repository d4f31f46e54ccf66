import { createGuardedFetch, createIdentityResolver, SigningKey, toDid } from '@stratos/protocol';
import { Presence } from '../followers/presence.ts';
import { Turns } from '../followers/turns.ts';
import { createLogger } from '../logger.ts';
import { NodeDirectory } from '../nodes/node-directory.ts';
import { RepoResyncs } from '../resync/repo-resyncs.ts';
import { Shortage } from '../shortage.ts';
import type { World } from './world.ts';

export interface Following extends AsyncDisposable {
  nodes: NodeDirectory;
  resyncs: RepoResyncs;
}

/** Follows the nodes of a world, as an indexer does. @param fetches - whether repos are fetched anew */
export async function followWorld({ db }: World, { fetches = true } = {}): Promise<Following> {
  const running = new AsyncDisposableStack();
  const identity = createIdentityResolver({ plcUrl: 'http://localhost:1', devMode: true });
  const logger = createLogger('silent');
  const appView = {
    did: toDid('did:web:localhost%3A4000'),
    key: SigningKey.generate('secp256k1'),
  };
  const presence = running.use(new Presence(db, logger));
  await presence.start();
  const nodes = running.use(
    new NodeDirectory(
      {
        ...{ db, identity, appView, logger, leaseSeconds: 60, devMode: true },
        fetchLog: createGuardedFetch({ devMode: true }),
        maxReconnectMs: 500,
        maxOpenMs: 500,
        shortage: new Shortage(1_000),
        turns: new Turns(8),
      },
      { allowed: [], denied: [], max: 10, maxMembers: 1_000 },
      presence,
    ),
  );
  const mayFollow = () => true;
  const resyncs = running.use(
    new RepoResyncs({ db, identity, appView, devMode: true, logger, mayFollow }),
  );
  await nodes.resume();
  if (fetches) resyncs.start();
  return { nodes, resyncs, [Symbol.asyncDispose]: () => running.disposeAsync() };
}
