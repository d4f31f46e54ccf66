import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  freePorts,
  type LocalNetwork,
  type Ports,
  startLocalNetwork,
} from '../network/src/index.ts';
import { codeBlocks } from './code-blocks.ts';
import { Reader } from './reader.ts';

const PROJECT = join(import.meta.dirname, '../..');
/** Each page, with how many of its blocks are not run. */
const PAGES: [string, number][] = [
  ['README.md', 1],
  ['docs/frontend.md', 1],
  ['docs/operator.md', 10],
  ['docs/app.md', 0],
];

let ports: Ports;
let network: LocalNetwork;
beforeAll(async () => {
  ports = await freePorts();
  network = await startLocalNetwork({ ephemeral: true, ports });
  // Who moves from one node to another has enrolled there.
  await network.enroll('rei.test', 'sailors', ['sailors']);
});
afterAll(() => network?.[Symbol.asyncDispose]());

describe.each(PAGES)('%s', async (page, notRun) => {
  const blocks = await codeBlocks(join(PROJECT, page));
  const programs = blocks.filter(({ language }) => language === 'ts');
  const others = blocks.filter((block) => block.language !== 'ts' && !block.notRun);
  let reader: Reader;
  beforeAll(async () => {
    reader = await Reader.open(network, ports);
  });
  afterAll(() => reader?.[Symbol.asyncDispose]());

  test.each(others.map((block) => [block.line, block] as const))('line %i', async (_, block) => {
    await reader.run(block);
  });

  if (programs.length > 0) test('its TypeScript', () => reader.runProgram(programs));

  test('says of what is not run why', () => {
    expect(blocks.filter((block) => block.notRun)).toHaveLength(notRun);
  });
});
