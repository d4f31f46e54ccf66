import { flushCompileCache } from 'node:module';
import { toDid } from '@stratos/protocol';
import { enroll, readConfig, startNode } from '@stratos/stratos-node';

/** What the parent asks, and what it hears when it is done. */
export type Request = { id: number; enroll: string };
export type Answer = { port: number } | { id: number; error?: string };

/** What the PDS gets for an answer. */
const PATIENCE_MS = 5_000;

// A node as in production, but for two things: people are enrolled without OAuth, when the parent
// says so, and one PDS, without a password, is everybody's.
const pds = process.env['CRASH_PDS_URL'] ?? '';
const node = await startNode(readConfig(process.env), {
  findPdsSession: async () => ({
    fetchHandler: (path, init) =>
      fetch(new URL(path, pds), { ...init, signal: AbortSignal.timeout(PATIENCE_MS) }),
  }),
  endPdsSession: async () => undefined,
});
process.on('message', async ({ id, enroll: did }: Request) => {
  try {
    await enroll(node.ctx, toDid(did), { pdsEndpoint: pds });
    process.send?.({ id });
  } catch (error) {
    process.send?.({ id, error: String(error) });
  }
});
process.once('disconnect', () => process.exit());
process.send?.({ port: node.port });
// @NOTE what is killed writes nothing when it ends, and the next one would compile all of it again
flushCompileCache();
