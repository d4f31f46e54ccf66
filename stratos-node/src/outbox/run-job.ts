import type { LexMap } from '@atproto/lex-data';
import {
  buildEnrollmentRecord,
  type Did,
  enrollmentRkey,
  type SigningKey,
  signAttestation,
} from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import type { NodeConfig } from '../config.ts';
import type { ServiceStorage } from '../storage/service-storage.ts';
import type { FindPdsSession } from './oauth-sessions.ts';
import type { RunJob } from './outbox-worker.ts';
import { PdsRepo } from './pds-repo.ts';

export interface RunJobOptions {
  config: Pick<NodeConfig, 'serviceDid' | 'publicUrl'>;
  nodeKey: SigningKey;
  service: Pick<ServiceStorage, 'enrollments'>;
  findSession: FindPdsSession;
}

/** Writes stubs and enrollment records to people's PDSes. */
export function createRunJob(options: RunJobOptions): RunJob {
  return async (did, job) => {
    const pds = new PdsRepo(did, await options.findSession(did));
    if (job.kind === 'enrollment') return putEnrollment(options, pds, did);
    const { change } = job;
    const address = { collection: change.collection, rkey: change.rkey };
    if (change.action === 'delete') return pds.deleteRecord(address);
    return pds.putRecord(address, change.stub as LexMap);
  };
}

/** Says what is true now, however old the job is. */
async function putEnrollment(options: RunJobOptions, pds: PdsRepo, did: Did): Promise<void> {
  const { config, nodeKey, service } = options;
  const address = {
    collection: zone.stratos.actor.enrollment.$nsid,
    rkey: enrollmentRkey(config.serviceDid),
  };
  const enrollment = await service.enrollments.get(did);
  if (!enrollment?.active) return pds.deleteRecord(address);
  const { boundaries, signingKey, enrolledAt } = enrollment;
  const record = buildEnrollmentRecord({
    service: config.publicUrl,
    boundaries,
    signingKey,
    attestation: await signAttestation({ did, boundaries, signingKey }, nodeKey),
    createdAt: new Date(enrolledAt),
  });
  await pds.putRecord(address, record);
}
