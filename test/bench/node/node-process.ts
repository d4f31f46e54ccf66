import { toDid } from '@stratos/protocol';
import { enroll, readConfig, startNode } from '@stratos/stratos-node';
import { reportToParent } from '../child.ts';

// A node as in production, but for two things: people are enrolled without OAuth, and their PDS
// takes whatever the outbox brings at once.
const node = await startNode(readConfig(process.env), {
  findPdsSession: async () => ({ fetchHandler: async () => new Response('{"records":[]}') }),
});
for (const did of process.argv.slice(2)) {
  await enroll(node.ctx, toDid(did), { pdsEndpoint: 'http://pds.invalid' });
}
reportToParent(node.port, node);
