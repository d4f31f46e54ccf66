import { once } from 'node:events';
import { zone } from '@stratos/protocol/lexicons';
import { WebSocket } from 'ws';
import type { Child } from '../child.ts';
import type { Person } from '../people.ts';
import { NODE_DID } from './measured-node.ts';
import type { Row } from './report.ts';

const nsid = zone.stratos.sync.subscribeService.$nsid;

/** How fast somebody who knows nothing yet gets the whole log. */
export async function measureBackfill(
  node: Child,
  appView: Person,
  { frames, rounds }: { frames: number; rounds: number },
): Promise<Row> {
  await node.calm();
  const before = await node.usage();
  const rates = [];
  while (rates.length < rounds) rates.push(await backfill(node.url, appView, frames));
  const { cpu, rss } = await node.usage();
  const perFrame = (cpu - before.cpu) / (rounds * frames);
  return { name: 'subscribeService, events', bar: 30_000, rates, cpu: perFrame, rss };
}

/** Reads the stream from its beginning. Frames a second, until `frames` of them have come. */
async function backfill(base: URL, appView: Person, frames: number): Promise<number> {
  const url = new URL(`/xrpc/${nsid}?cursor=0`, base);
  url.protocol = 'ws:';
  const authorization = await appView.authorization(NODE_DID, nsid);
  const start = performance.now();
  const socket = new WebSocket(url, { headers: { authorization } });
  let seen = 0;
  await new Promise<void>((resolve, reject) => {
    socket.on('message', () => {
      seen++;
      if (seen === frames) resolve();
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`the stream ended after ${seen} frames`)));
  });
  const seconds = (performance.now() - start) / 1000;
  const closed = once(socket, 'close');
  socket.terminate();
  await closed;
  return frames / seconds;
}
