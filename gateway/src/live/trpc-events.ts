import type { ServerResponse } from 'node:http';
import type { LiveEvent, Visible } from '@stratos/schema';
import { EventSource } from './event-source.ts';
import type { Handed, PostStream } from './post-stream.ts';
import { sendEvents } from './send-events.ts';
import { Template } from './template.ts';

const FRAMING = { before: (cursor: string) => `id: ${cursor}\ndata: `, after: '\n\n' };
const CONNECTED = Buffer.from('event: connected\ndata: {}\n\n');
const RETURN = Buffer.from('event: return\ndata:\n\n');

/**
 * Sends a stream as tRPC's clients take a subscription: events that are tracked by their cursors, between
 * `connected` and `return`. An answer that ends without the latter has clients subscribe again from what they
 * have, so that stands for the last word `reconnect`.
 */
export async function sendTrpcEvents(stream: PostStream, res: ServerResponse): Promise<void> {
  using _stream = stream;
  const source = new EventSource(res);
  await source.send([CONNECTED]);
  await sendEvents({ stream, write }, source, FRAMING);
  if (stream.ending !== 'reconnect') await source.send([RETURN]);
  await source.end();
}

function write({ cursor, event: shared }: Handed): Buffer | undefined {
  const { event } = shared;
  if (event.type === 'closed' && event.reason === 'reconnect') return undefined;
  return shared.template('trpc', toJson).with(cursor);
}

function toJson(event: Visible<LiveEvent>): Template {
  return new Template(Buffer.from(JSON.stringify(event)));
}
