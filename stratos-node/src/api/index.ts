import { createServer, type Server, XRPCError } from '@atproto/xrpc-server';
import type { NodeContext } from '../context.ts';
import { toAnswer } from '../node-error.ts';
import { createRecord } from './com/atproto/repo/createRecord.ts';
import { deleteRecord } from './com/atproto/repo/deleteRecord.ts';
import { getRecord } from './com/atproto/repo/getRecord.ts';
import { getRecord as getRecordProof } from './com/atproto/sync/getRecord.ts';
import { addBoundary } from './zone/stratos/admin/addBoundary.ts';
import { removeBoundary } from './zone/stratos/admin/removeBoundary.ts';
import { setBoundaries } from './zone/stratos/admin/setBoundaries.ts';
import { status } from './zone/stratos/enrollment/status.ts';
import { hydrateRecord } from './zone/stratos/repo/hydrateRecord.ts';
import { hydrateRecords } from './zone/stratos/repo/hydrateRecords.ts';
import { listDomains } from './zone/stratos/server/listDomains.ts';
import { subscribeService } from './zone/stratos/sync/subscribeService.ts';

/** Bytes of a JSON body. */
const MAX_BODY_BYTES = 256 * 1024;

const METHODS = [
  createRecord,
  deleteRecord,
  getRecord,
  getRecordProof,
  addBoundary,
  removeBoundary,
  setBoundaries,
  status,
  hydrateRecord,
  hydrateRecords,
  listDomains,
  subscribeService,
];

/** Every XRPC method of the node. */
export function createXrpcServer(ctx: NodeContext): Server {
  const server = createServer([], {
    payload: { jsonLimit: MAX_BODY_BYTES, textLimit: MAX_BODY_BYTES, blobLimit: MAX_BODY_BYTES },
    errorParser: (error) => parseError(ctx, error),
  });
  // @NOTE the router is an application of its own, with settings of its own
  server.router.disable('x-powered-by').disable('etag');
  for (const add of METHODS) add(server, ctx);
  return server;
}

function parseError(ctx: NodeContext, error: unknown): XRPCError {
  const answer = XRPCError.fromError(toAnswer(error));
  if (answer.statusCode >= 500) ctx.logger.error({ err: error }, 'a method failed');
  return answer;
}
