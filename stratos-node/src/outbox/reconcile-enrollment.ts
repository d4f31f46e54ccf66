import { isDatetimeString } from '@atproto/syntax';
import {
  buildEnrollmentRecord,
  type Did,
  enrollmentRkey,
  signAttestation,
} from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import type { NodeConfig } from '../config.ts';
import type { NodeKeys } from '../keys/node-keys.ts';
import type { ServiceStorage } from '../storage/service-storage.ts';
import type { ListedRecord, PdsRepo } from './pds-repo.ts';

export interface ReconcileOptions {
  config: Pick<NodeConfig, 'serviceDid' | 'publicUrl'>;
  nodeKeys: Pick<NodeKeys, 'current'>;
  service: Pick<ServiceStorage, 'enrollments'>;
}

const collection = zone.stratos.actor.enrollment.$nsid;

/**
 * Makes the PDS say of the enrollment what is true now, however old the job is: one record under the
 * key of this node, or none. Records of this node under the keys of older versions go.
 */
export async function reconcileEnrollment(
  { config, nodeKeys, service }: ReconcileOptions,
  pds: PdsRepo,
  did: Did,
): Promise<void> {
  const rkey = enrollmentRkey(config.serviceDid);
  const listed = await pds.listRecords(collection);
  const current = listed.find((record) => record.rkey === rkey);
  const older = listed.filter((each) => each !== current && isOf(each, config.publicUrl));
  const enrollment = await service.enrollments.get(did);
  if (enrollment?.active) {
    const { boundaries, signingKey, enrolledAt } = enrollment;
    const record = buildEnrollmentRecord({
      service: config.publicUrl,
      boundaries,
      signingKey,
      attestation: await signAttestation({ did, boundaries, signingKey }, nodeKeys.current),
      createdAt: dateOf(current) ?? dateOf(older[0]) ?? new Date(enrolledAt),
    });
    await pds.putRecord({ collection, rkey }, record);
  } else {
    await pds.deleteRecord({ collection, rkey });
  }
  for (const each of older) await pds.deleteRecord({ collection, rkey: each.rkey });
}

function isOf({ value }: ListedRecord, publicUrl: string): boolean {
  const { service } = value;
  return typeof service === 'string' && service.replace(/\/$/, '') === publicUrl;
}

function dateOf(record: ListedRecord | undefined): Date | undefined {
  const createdAt = record?.value['createdAt'];
  return isDatetimeString(createdAt) ? new Date(createdAt) : undefined;
}
