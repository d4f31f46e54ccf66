import { NotFoundError, RefusedError } from '../errors.ts';
import { fieldOf } from '../http/fields.ts';
import type { Asking } from '../http/request.ts';
import { query } from '../http/xrpc.ts';
import { parseAtUri } from '../identifiers.ts';
import { pdsEndpoint } from '../identity/did-document.ts';
import type { DidResolver } from '../identity/did-resolver.ts';
import { parseStub, type Stub } from './stub.ts';

export interface FindStubOptions extends Asking {
  dids: DidResolver;
}

/**
 * The stub that its author's PDS has for a record: which node holds it. Undefined where there is none, or
 * one that is for another record.
 *
 * @throws `StratosError`
 * @example
 * const stub = await findStub(uri, { dids });
 * if (stub) console.log(await findNode(stub.node, { dids, fragment: stub.fragment }));
 */
export async function findStub(
  uri: string,
  { dids, ...asking }: FindStubOptions,
): Promise<Stub | undefined> {
  const { did, collection, rkey } = parseAtUri(uri);
  const document = await dids.resolve(did);
  const pds = document && pdsEndpoint(document);
  if (!pds) throw new NotFoundError('PdsNotFound', `${did} has no PDS`);
  const { fetch = globalThis.fetch, ...call } = asking;
  const params = { repo: did, collection, rkey };
  try {
    const service = { url: pds, fetch };
    const answer = await query(service, 'com.atproto.repo.getRecord', { ...call, params });
    const stub = parseStub(fieldOf(answer, 'value'));
    return stub?.uri === uri ? stub : undefined;
  } catch (error) {
    if (error instanceof RefusedError && error.code === 'RecordNotFound') return undefined;
    throw error;
  }
}
