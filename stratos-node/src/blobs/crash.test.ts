import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { sweepLater } from '../testing/old-uploads.ts';
import { blobFiles, picture, pictureRecord, upload } from '../testing/test-blobs.ts';
import { TestNode, TestPerson } from '../testing/test-node.ts';

const CHILD = fileURLToPath(new URL('../testing/crashing-blobs.ts', import.meta.url));
const rei = TestPerson.named('rei');

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'stratos-'));
});
afterEach(() => rm(dataDir, { recursive: true }));

async function crash(where: string): Promise<void> {
  const child = fork(CHILD, [dataDir, where], { execArgv: [] });
  const [, signal] = await once(child, 'exit');
  expect(signal).toBe('SIGKILL');
}

const temporary = expect.stringMatching(new RegExp(`^temp/${rei.did}/`));
const permanent = expect.stringMatching(new RegExp(`^${rei.did}/`));

it.each([
  ['upload', [temporary]],
  ['before the commit', [permanent, temporary]],
])('leaves nothing for good of an upload that a crash cut off (%s)', async (where, files) => {
  await crash(where);
  expect(await blobFiles(dataDir)).toEqual(files);
  await using node = await TestNode.start({ people: [rei], dataDir });
  await sweepLater(node);
  expect(await blobFiles(dataDir)).toEqual([]);
});

it('lets an upload be referred to after a crash', async () => {
  await crash('before the commit');
  await using node = await TestNode.start({ people: [rei], dataDir });
  const blob = await upload(node, rei, picture('a'));
  await node.createPost(rei, pictureRecord(blob));
  await sweepLater(node);
  expect(await blobFiles(dataDir)).toEqual([permanent]);
});

it('keeps what a committed record refers to', async () => {
  await crash('after the commit');
  expect(await blobFiles(dataDir)).toEqual([permanent, temporary]);
  await using node = await TestNode.start({ people: [rei], dataDir });
  await sweepLater(node);
  expect(await blobFiles(dataDir)).toEqual([permanent]);
});

it('removes at the next start what no record refers to', async () => {
  await crash('after the deletion');
  expect(await blobFiles(dataDir)).toEqual([permanent]);
  await using node = await TestNode.start({ people: [rei], dataDir });
  await node.ctx.blobSweep.run();
  expect(await blobFiles(dataDir)).toEqual([]);
});
