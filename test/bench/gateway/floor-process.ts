import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { reportToParent } from '../child.ts';

// The least that any server can do: the same bytes, from memory.
const answer = await readFile(process.argv[2] ?? '');
const server = createServer((req, res) => {
  req.resume();
  res.writeHead(200, { 'content-type': 'application/json', 'content-length': answer.length });
  res.end(answer);
});
await once(server.listen(0, '127.0.0.1'), 'listening');
reportToParent((server.address() as AddressInfo).port, server);
