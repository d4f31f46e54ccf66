import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type RepoHead, verifyCommit } from '@stratos/protocol';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { StreamClient } from '../testing/stream-client.ts';
import {
  isOnPostgres,
  NODE_DID,
  postRecord,
  SWORDSMITH,
  TestNode,
  TestPerson,
} from '../testing/test-node.ts';

const CHILD = fileURLToPath(new URL('../testing/crashing-node.ts', import.meta.url));
const rei = TestPerson.named('rei');

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'stratos-'));
});
afterEach(() => rm(dataDir, { recursive: true }));

async function crash(where: 'publish' | 'enroll'): Promise<void> {
  const child = fork(CHILD, [dataDir, where], { execArgv: [] });
  const [, signal] = await once(child, 'exit');
  expect(signal).toBe('SIGKILL');
}

async function provenTexts(node: TestNode): Promise<unknown[]> {
  await using stream = await StreamClient.open(node, node.appView, 0);
  await stream.until((client) => client.of('#heartbeat').length > 0);
  expect(stream.frames[0]?.type).toBe('#membership');
  const enrollment = await node.ctx.service.enrollments.get(rei.did);
  const signingKey = enrollment?.signingKey ?? node.ctx.nodeKey.did();
  let previous: RepoHead | undefined;
  const texts: unknown[] = [];
  for (const frame of stream.of('#commit')) {
    previous = await verifyCommit(frame, { service: NODE_DID, signingKey, previous }).then(
      (verified) => {
        texts.push(...verified.ops.map(({ record }) => record?.value['text']));
        return verified;
      },
    );
  }
  return texts;
}

it('publishes at the next start what a crash left unpublished, once and in order', async () => {
  await crash('publish');
  {
    await using node = await TestNode.start({ people: [rei], dataDir });
    expect(await provenTexts(node)).toEqual(['acknowledged', 'written but not published']);
    await node.createPost(rei, postRecord('after the crash'));
  }
  await using node = await TestNode.start({ people: [rei], dataDir });
  expect(await provenTexts(node)).toEqual([
    'acknowledged',
    'written but not published',
    'after the crash',
  ]);
  expect(await node.ctx.service.outbox.count(rei.did)).toBe(4);
});

it('finishes an enrollment that a crash cut in two when the person comes again', async () => {
  await crash('enroll');
  await using node = await TestNode.start({ people: [rei], dataDir });
  expect(await node.ctx.service.enrollments.get(rei.did)).toBeUndefined();
  expect(await node.ctx.service.events.head()).toBe(0);
  await node.enroll(rei, [SWORDSMITH]);
  await node.createPost(rei, postRecord('at last'));
  expect(await provenTexts(node)).toEqual(['at last']);
});

it.skipIf(isOnPostgres)('leaves no actor to look at after it was stopped in order', async () => {
  {
    await using node = await TestNode.start({ people: [rei], dataDir });
    await node.enroll(rei, [SWORDSMITH]);
    expect(await node.ctx.service.publications.dirtyActors()).toEqual([rei.did]);
  }
  await using node = await TestNode.start({ people: [rei], dataDir });
  expect(await node.ctx.service.publications.dirtyActors()).toEqual([]);
});
