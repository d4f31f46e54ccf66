import type { ServerResponse } from 'node:http';
import type { LiveEvent, Visible } from '@stratos/schema';
import { EventSource } from './event-source.ts';
import type { Handed, PostStream } from './post-stream.ts';
import { sendEvents } from './send-events.ts';
import { Template } from './template.ts';

const FRAMING = { before: (cursor: string) => `id: ${cursor}\ndata: `, after: '\n\n' };
/** An event, because clients notice by events that a connection is silent. */
const PING = 'event: ping\ndata:\n\n';
const RETURN = Buffer.from('event: return\ndata:\n\n');

/**
 * Sends a stream as tRPC's clients take a subscription: events that are tracked by their cursors, between
 * `connected`, which says when to open a silent connection anew, and `return`. An answer that ends without the
 * latter has clients subscribe again from what they have, so that stands for the last word `reconnect`.
 */
export async function sendTrpcEvents(stream: PostStream, res: ServerResponse): Promise<void> {
  using _stream = stream;
  const { heartbeatMs, silenceMs } = stream.limits;
  const source = new EventSource(res, { heartbeatMs, heartbeat: PING });
  await source.send([connected({ reconnectAfterInactivityMs: silenceMs })]);
  await sendEvents({ stream, write }, source, FRAMING);
  if (stream.ending !== 'reconnect') await source.send([RETURN]);
  await source.end();
}

function connected(options: { reconnectAfterInactivityMs: number }): Buffer {
  return Buffer.from(`event: connected\ndata: ${JSON.stringify(options)}\n\n`);
}

function write({ cursor, event: shared }: Handed): Buffer | undefined {
  const { event } = shared;
  if (event.type === 'closed' && event.reason === 'reconnect') return undefined;
  return shared.template('trpc', toJson).with(cursor);
}

function toJson(event: Visible<LiveEvent>): Template {
  return new Template(Buffer.from(JSON.stringify(event)));
}
