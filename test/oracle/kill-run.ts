import { setTimeout as sleep } from 'node:timers/promises';
import { Author, create, LyingNode, remove, update } from '@stratos/indexer/testing';
import { createPrismaClient, type PrismaClient } from '@stratos/prisma';
import { Random } from '../random.ts';
import { unsettled } from './appview-state.ts';
import { IndexerProcess } from './indexer-process.ts';
import { OracleError } from './oracle-error.ts';
import { difference, snapshot } from './snapshot.ts';
import { type AppView, openStage, type Stage } from './stage.ts';

const PEOPLE = 6;
const NAMES = ['art', 'cooks', 'writers'];
const PATIENCE_MS = 60_000;

export interface KillOptions {
  times: number;
  seed: number;
  indexer: string;
  onProgress: (line: string) => void;
}

/**
 * Indexes the same history twice, once undisturbed and once by indexers of which each is killed while
 * it works, and compares all rows.
 *
 * @throws OracleError when they differ
 */
export async function runKills({ times, seed, indexer, onProgress }: KillOptions) {
  await using stage = await openStage(PEOPLE);
  await using node = await LyingNode.start();
  const random = new Random(seed);
  const position = await stage.firehosePosition();
  await makeHistory(stage, node, { random, commits: 200 + times * 30 });
  onProgress(
    `${node.position} events of a node, ${(await stage.firehosePosition()) - position} of a PDS`,
  );

  await using undisturbed = await stage.openAppView(position);
  await using killed = await stage.openAppView(position);
  const expected = await finish(undisturbed, { node, indexer });
  for (let kill = 1; kill <= times; kill++) {
    await using victim = new IndexerProcess(indexer, killed.env);
    const enough = Promise.withResolvers<void>();
    let left = random.between(1, 120);
    node.onFrame = (frame) => {
      if (left-- === 0) enough.resolve();
      return left < 0 ? [] : [frame];
    };
    await victim.start();
    await Promise.race([enough.promise, sleep(random.between(200, 3_000))]);
    await sleep(random.between(0, 60));
    await victim.kill();
    if (kill % 20 === 0) onProgress(`${kill} kills`);
  }
  node.onFrame = undefined;
  const lines = difference(expected, await finish(killed, { node, indexer }));
  if (lines.length > 0) throw new OracleError(`seed ${seed}:\n${lines.slice(0, 40).join('\n')}`);
  return { kills: times, rows: [...expected.values()].reduce((sum, rows) => sum + rows.length, 0) };
}

/** Lets an indexer come to the end of what there is, and looks at what it has written. */
async function finish(
  appView: AppView,
  { node, indexer }: { node: LyingNode; indexer: string },
): Promise<Map<string, string[]>> {
  await using process = new IndexerProcess(indexer, appView.env);
  await process.start();
  const db: PrismaClient = createPrismaClient(appView.databaseUrl, { poolSize: 2 });
  await using _closed = { [Symbol.asyncDispose]: () => db.$disconnect() };
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    await node.flush();
    const isThere = (await db.node.count()) === 1 && (await db.stub.count()) > 0;
    const open = await unsettled(db, new Map([[node.did, node.position]]));
    if (isThere && open.size === 0) break;
    if (Date.now() > deadline) {
      throw new OracleError(
        `not done in time:\n${[...open.values()].flat().join('\n')}\n${process.lastWords}`,
      );
    }
    await sleep(100);
  }
  // The PDS is another source, which may have a word to say yet.
  await sleep(1_000);
  // Each has an address of its own for the PDS.
  const source = appView.firehose.url.replace(/^http/, 'ws');
  const tables = await snapshot(db);
  return new Map(
    Array.from(tables, ([table, rows]) => [
      table,
      rows.map((row) => row.replaceAll(source, 'firehose')),
    ]),
  );
}

/** People who enroll, write, change, leave and come back, with stubs on their PDS. */
async function makeHistory(
  { people }: Stage,
  node: LyingNode,
  { random, commits }: { random: Random; commits: number },
): Promise<void> {
  const authors: { author: Author; rkeys: string[] }[] = [];
  for (const person of people) {
    const author = await Author.create(person.did);
    await node.membership(author, NAMES);
    node.commit(await author.genesis());
    await person.enroll(node, [node.boundary('art')], author.key.did());
    await person.putStub(
      node,
      '3kaaa',
      'bafyreigq3v4v6fcvzj4v6z3m5y4y6l6r3d2q4k5c7h6s3p2x5n4a7w2e5u',
    );
    node.repos.set(person.did, () => author.car());
    authors.push({ author, rkeys: [] });
  }
  for (let i = 0; i < commits; i++) {
    const { author, rkeys } = random.oneOf(authors);
    const roll = random.next();
    const boundaries = random
      .someOf(NAMES, random.between(1, 3))
      .map((name) => node.boundary(name));
    if (roll < 0.02) await node.membership(author, NAMES);
    else if (roll < 0.1 && rkeys.length > 0) {
      const [rkey = ''] = rkeys.splice(random.between(0, rkeys.length - 1), 1);
      node.commit(await author.commit([remove(rkey)]));
    } else if (roll < 0.2 && rkeys.length > 0) {
      node.commit(await author.commit([update(random.oneOf(rkeys), boundaries, `changed ${i}`)]));
    } else {
      const rkey = `3k${String(i)
        .padStart(6, '0')
        .replaceAll(/\d/g, (digit) => 'abcdefghij'[Number(digit)] ?? '')}`;
      node.commit(await author.commit([create(rkey, boundaries, `post ${i}`)]));
      rkeys.push(rkey);
    }
  }
}
