import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { reportToParent } from '../child.ts';

// The least that a service of this make can do: read JSON, answer JSON.
const app = express();
app.disable('etag');
app.post('/', express.json(), (req, res) => void res.json(req.body));
const server = createServer(app);
await once(server.listen(0, '127.0.0.1'), 'listening');
reportToParent((server.address() as AddressInfo).port, server);
