import type { Did } from '@stratos/protocol';
import type { ServiceStores } from '../storage/service-storage.ts';

/** Whether the operator took a person's whole account down. */
export async function isTakenDown(
  { service }: { service: Pick<ServiceStores, 'enrollments'> },
  did: Did,
): Promise<boolean> {
  return (await service.enrollments.standings([did])).get(did)?.isTakenDown === true;
}
