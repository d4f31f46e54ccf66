import { NotFoundError } from '../errors.ts';
import { type Did, isDid } from '../identifiers.ts';
import { claimedHandle, pdsEndpoint } from './did-document.ts';
import type { DidResolver } from './did-resolver.ts';
import type { HandleResolver } from './handle-resolver.ts';

export interface Person {
  did: Did;
  /** Undefined unless handle and DID document name each other. */
  handle: string | undefined;
  /** Base URL of their PDS. */
  pds: string;
}

export interface FindPersonOptions {
  dids: DidResolver;
  handles: HandleResolver;
}

/**
 * Somebody by handle or DID, and where their PDS is.
 *
 * @throws {@link NotFoundError} `DidNotFound`, `PdsNotFound`
 * @example
 * const person = await findPerson('rei.test', { dids, handles });
 * console.log(person.did, person.pds);
 */
export async function findPerson(
  handleOrDid: string,
  { dids, handles }: FindPersonOptions,
): Promise<Person> {
  const did = isDid(handleOrDid) ? handleOrDid : await handles(handleOrDid.replace(/^@/, ''));
  const document = did && (await dids.resolve(did));
  if (!did || !document) throw new NotFoundError('DidNotFound', `nobody is ${handleOrDid}`);
  const pds = pdsEndpoint(document);
  if (!pds) throw new NotFoundError('PdsNotFound', `${did} has no PDS`);
  const claimed = claimedHandle(document)?.toLowerCase();
  const isConfirmed = claimed !== undefined && (await handles(claimed)) === did;
  return { did, handle: isConfirmed ? claimed : undefined, pds };
}
