import type { LexMap } from '@atproto/lex-data';
import type { Did } from '@stratos/protocol';
import type { EndPdsSession } from './end-session.ts';
import type { FindPdsSession } from './oauth-sessions.ts';
import type { RunJob } from './outbox-worker.ts';
import { PdsRepo } from './pds-repo.ts';
import { type ReconcileOptions, reconcileEnrollment } from './reconcile-enrollment.ts';

export interface RunJobOptions extends ReconcileOptions {
  findSession: FindPdsSession;
  endSession: EndPdsSession;
}

/** Writes stubs and enrollment records to people's PDSes, and takes leave of them. */
export function createRunJob(options: RunJobOptions): RunJob {
  return async (did, job) => {
    if (job.kind === 'sign-out') return signOut(options, did, job.asOf);
    const pds = new PdsRepo(did, await options.findSession(did));
    if (job.kind === 'enrollment') return reconcileEnrollment(options, pds, did);
    const { change } = job;
    const address = { collection: change.collection, rkey: change.rkey };
    if (change.action === 'delete') return pds.deleteStub(address, options.config.serviceDid);
    return pds.putRecord(address, change.stub as LexMap);
  };
}

/** Keeps the session of somebody who has enrolled again in the meantime. */
async function signOut(options: RunJobOptions, did: Did, asOf: string): Promise<void> {
  const enrollment = await options.service.enrollments.get(did);
  if (!enrollment?.active) await options.endSession(did, asOf);
}
