import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { reportToParent } from '../child.ts';

// The least that any server can do: the same bytes to as many streams, from memory.
const event = Buffer.from(process.argv[2] ?? '', 'base64');
const streams = new Set<ServerResponse>();
const server = createServer((req, res) => {
  req.resume();
  const count = Number(req.headers['x-deliver'] ?? 0);
  if (count === 0) {
    streams.add(res.writeHead(200, { 'content-type': 'text/event-stream' }));
    res.write(':\n\n');
    return;
  }
  const events = Buffer.concat(Array.from({ length: count }, () => event));
  for (const stream of streams) stream.write(events);
  res.end();
});
await once(server.listen(0, '127.0.0.1'), 'listening');
reportToParent((server.address() as AddressInfo).port, server);
