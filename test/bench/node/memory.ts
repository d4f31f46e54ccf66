import type { Child } from '../child.ts';
import { load } from '../load.ts';
import { number } from '../table.ts';
import type { Requests } from './requests.ts';

/** Few enough for no proof to be too old when its turn comes. */
const WRITES_AT_ONCE = 500;
/** Writes between two lines of the report. */
const REPORT_EVERY = 10_000;

export interface MemoryOptions {
  writes: number;
  connections: number;
}

/** Writes a lot, and prints what memory the node has meanwhile. */
export async function printMemory(
  node: Child,
  requests: Requests,
  { writes, connections }: MemoryOptions,
): Promise<void> {
  const report = async (done: number) => {
    const { rss } = await node.usage();
    console.log(`${number(done)} records written: ${number(rss)} MB`);
  };
  await report(0);
  for (let done = WRITES_AT_ONCE; done <= writes; done += WRITES_AT_ONCE) {
    await requests.refresh();
    const lot = [];
    while (lot.length < WRITES_AT_ONCE) lot.push(await requests.createRecord());
    await load(node.url, lot, connections);
    if (done % REPORT_EVERY === 0) await report(done);
  }
}
