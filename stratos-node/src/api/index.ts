import { createServer, type Server, XRPCError } from '@atproto/xrpc-server';
import type { NodeContext } from '../context.ts';
import { toAnswer } from '../node-error.ts';
import { applyWrites } from './com/atproto/repo/applyWrites.ts';
import { createRecord } from './com/atproto/repo/createRecord.ts';
import { deleteRecord } from './com/atproto/repo/deleteRecord.ts';
import { describeRepo } from './com/atproto/repo/describeRepo.ts';
import { getRecord } from './com/atproto/repo/getRecord.ts';
import { listRecords } from './com/atproto/repo/listRecords.ts';
import { putRecord } from './com/atproto/repo/putRecord.ts';
import { getLatestCommit } from './com/atproto/sync/getLatestCommit.ts';
import { getRecord as getRecordProof } from './com/atproto/sync/getRecord.ts';
import { addBoundary } from './zone/stratos/admin/addBoundary.ts';
import { getMembershipLog } from './zone/stratos/admin/getMembershipLog.ts';
import { listEnrollments } from './zone/stratos/admin/listEnrollments.ts';
import { listOutbox } from './zone/stratos/admin/listOutbox.ts';
import { removeBoundary } from './zone/stratos/admin/removeBoundary.ts';
import { requeueOutbox } from './zone/stratos/admin/requeueOutbox.ts';
import { setBoundaries } from './zone/stratos/admin/setBoundaries.ts';
import { unenroll as unenrollAsOperator } from './zone/stratos/admin/unenroll.ts';
import { status } from './zone/stratos/enrollment/status.ts';
import { unenroll } from './zone/stratos/enrollment/unenroll.ts';
import { resolveEnrollments } from './zone/stratos/identity/resolveEnrollments.ts';
import { hydrateRecord } from './zone/stratos/repo/hydrateRecord.ts';
import { hydrateRecords } from './zone/stratos/repo/hydrateRecords.ts';
import { listDomains } from './zone/stratos/server/listDomains.ts';
import { subscribeService } from './zone/stratos/sync/subscribeService.ts';

/** Bytes of a JSON body. */
const MAX_BODY_BYTES = 256 * 1024;

const METHODS = [
  applyWrites,
  createRecord,
  deleteRecord,
  describeRepo,
  getRecord,
  listRecords,
  putRecord,
  getLatestCommit,
  getRecordProof,
  addBoundary,
  removeBoundary,
  setBoundaries,
  unenrollAsOperator,
  listEnrollments,
  getMembershipLog,
  listOutbox,
  requeueOutbox,
  resolveEnrollments,
  status,
  unenroll,
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
