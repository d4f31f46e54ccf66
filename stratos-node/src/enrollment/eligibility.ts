import { type Did, type IdentityResolver, pdsEndpointOf } from '@stratos/protocol';
import type { EnrollmentPolicy } from '../config.ts';
import type { AllowList } from './allow-list.ts';

export interface EligibilitySources {
  identity: Pick<IdentityResolver, 'didDocument'>;
  allowList: Pick<AllowList, 'has'>;
}

/**
 * Whether the operator lets a person enroll: everybody, or those who are named themselves, in the
 * configuration or on the allow list, or whose DID document names a PDS that is. What cannot be
 * resolved is not allowed.
 */
export async function isEligible(
  did: Did,
  policy: EnrollmentPolicy,
  { identity, allowList }: EligibilitySources,
): Promise<boolean> {
  if (policy.mode === 'open' || policy.allowedDids.includes(did)) return true;
  if (await allowList.has(did)) return true;
  if (policy.allowedPdsOrigins.length === 0) return false;
  const document = await identity.didDocument(did, { refresh: true }).catch(() => undefined);
  const endpoint = document && pdsEndpointOf(document);
  return endpoint !== undefined && policy.allowedPdsOrigins.includes(new URL(endpoint).origin);
}
