import { createServer, type Server, XRPCError } from '@atproto/xrpc-server';
import type { NodeContext } from '../context.ts';
import { toAnswer } from '../node-error.ts';
import { authFailureReason } from '../telemetry/auth-failure.ts';
import { observeStreams } from '../telemetry/observe-streams.ts';
import { applyWrites } from './com/atproto/repo/applyWrites.ts';
import { createRecord } from './com/atproto/repo/createRecord.ts';
import { deleteRecord } from './com/atproto/repo/deleteRecord.ts';
import { describeRepo } from './com/atproto/repo/describeRepo.ts';
import { getRecord } from './com/atproto/repo/getRecord.ts';
import { listRecords } from './com/atproto/repo/listRecords.ts';
import { putRecord } from './com/atproto/repo/putRecord.ts';
import { uploadBlob } from './com/atproto/repo/uploadBlob.ts';
import { getBlob } from './com/atproto/sync/getBlob.ts';
import { getLatestCommit } from './com/atproto/sync/getLatestCommit.ts';
import { getRecord as getRecordProof } from './com/atproto/sync/getRecord.ts';
import { listBlobs } from './com/atproto/sync/listBlobs.ts';
import { addBoundary } from './zone/stratos/admin/addBoundary.ts';
import { getAuditLog } from './zone/stratos/admin/getAuditLog.ts';
import { getMembershipLog } from './zone/stratos/admin/getMembershipLog.ts';
import { getStatus } from './zone/stratos/admin/getStatus.ts';
import { listEnrollments } from './zone/stratos/admin/listEnrollments.ts';
import { listOutbox } from './zone/stratos/admin/listOutbox.ts';
import { removeBoundary } from './zone/stratos/admin/removeBoundary.ts';
import { requeueOutbox } from './zone/stratos/admin/requeueOutbox.ts';
import { rotateSigningKey } from './zone/stratos/admin/rotateSigningKey.ts';
import { setBoundaries } from './zone/stratos/admin/setBoundaries.ts';
import { takedown } from './zone/stratos/admin/takedown.ts';
import { unenroll as unenrollAsOperator } from './zone/stratos/admin/unenroll.ts';
import { status } from './zone/stratos/enrollment/status.ts';
import { unenroll } from './zone/stratos/enrollment/unenroll.ts';
import { getKeyHistory } from './zone/stratos/identity/getKeyHistory.ts';
import { resolveEnrollments } from './zone/stratos/identity/resolveEnrollments.ts';
import { hydrateRecord } from './zone/stratos/repo/hydrateRecord.ts';
import { hydrateRecords } from './zone/stratos/repo/hydrateRecords.ts';
import { importRepo } from './zone/stratos/repo/importRepo.ts';
import { createSession } from './zone/stratos/server/createSession.ts';
import { listDomains } from './zone/stratos/server/listDomains.ts';
import { createTicket } from './zone/stratos/sync/createTicket.ts';
import { getRepo } from './zone/stratos/sync/getRepo.ts';
import { subscribeRecords } from './zone/stratos/sync/subscribeRecords.ts';
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
  uploadBlob,
  getBlob,
  getLatestCommit,
  getRecordProof,
  listBlobs,
  addBoundary,
  removeBoundary,
  setBoundaries,
  unenrollAsOperator,
  listEnrollments,
  getMembershipLog,
  listOutbox,
  requeueOutbox,
  rotateSigningKey,
  getStatus,
  getAuditLog,
  getKeyHistory,
  resolveEnrollments,
  status,
  unenroll,
  hydrateRecord,
  hydrateRecords,
  createSession,
  listDomains,
  createTicket,
  subscribeRecords,
  subscribeService,
  getRepo,
  importRepo,
  takedown,
];

/** Every XRPC method of the node. */
export function createXrpcServer(ctx: NodeContext): Server {
  const server = createServer([], {
    // @NOTE methods that take a stream count its bytes themselves: a limit here would end the
    // connection without an answer
    payload: { jsonLimit: MAX_BODY_BYTES, textLimit: MAX_BODY_BYTES },
    // @NOTE the compiler checks what is answered; to check it again costs as much as to make it
    validateResponse: false,
    errorParser: (error) => parseError(ctx, error),
  });
  // @NOTE the router is an application of its own, with settings of its own
  server.router.disable('x-powered-by').disable('etag');
  for (const add of METHODS) add(server, ctx);
  observeStreams(server, ctx.metrics);
  return server;
}

function parseError(ctx: NodeContext, error: unknown): XRPCError {
  const answer = XRPCError.fromError(toAnswer(error));
  if (answer.statusCode === 401) {
    ctx.metrics.refusedCallers.inc({ reason: authFailureReason(answer.message) });
  }
  // @NOTE 501 is for methods that nobody has, which anybody can ask for
  const isOurs = answer.statusCode >= 500 && answer.statusCode !== 501;
  if (isOurs) ctx.logger.error({ err: error }, 'a method failed');
  return answer;
}
