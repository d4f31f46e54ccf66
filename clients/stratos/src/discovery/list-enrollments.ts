import { NotFoundError, StratosError } from '../errors.ts';
import { fieldOf, listOf, textOf } from '../http/fields.ts';
import type { Asking } from '../http/request.ts';
import { query, type XrpcService } from '../http/xrpc.ts';
import type { Did } from '../identifiers.ts';
import { pdsEndpoint } from '../identity/did-document.ts';
import type { DidResolver } from '../identity/did-resolver.ts';
import { findNode, type Service } from '../routing/node.ts';
import { type EnrollmentRecord, parseEnrollmentRecord } from './enrollment-record.ts';

/** An enrollment with the service behind it. */
export interface Enrollment extends EnrollmentRecord {
  /** Where the node is; undefined while its DID does not say so. */
  node: Service | undefined;
}

export interface ListEnrollmentsOptions extends Asking {
  dids: DidResolver;
}

const COLLECTION = 'zone.stratos.actor.enrollment';
const PAGE = 100;
/** A person with more is nobody who enrolled. */
const MAX_PAGES = 10;

/**
 * With which nodes somebody is enrolled, as their PDS says, newest first. What cannot be read is left out,
 * and of several records for one node the newest counts. Whether the node agrees is for it to say
 * (`zone.stratos.enrollment.status`).
 *
 * @throws `StratosError` when the PDS does not answer
 * @example
 * for (const { node, boundaries } of await listEnrollments(did, { dids })) {
 *   console.log(node?.url, boundaries);
 * }
 */
export async function listEnrollments(
  did: Did,
  { dids, ...asking }: ListEnrollmentsOptions,
): Promise<Enrollment[]> {
  const document = await dids.resolve(did);
  const url = document && pdsEndpoint(document);
  if (!url) throw new NotFoundError('PdsNotFound', `${did} has no PDS`);
  const service = { url, fetch: asking.fetch ?? globalThis.fetch };
  const byNode = new Map<Did, EnrollmentRecord>();
  for await (const enrollment of enrollmentRecords(did, service, asking)) {
    const { nodeDid, createdAt } = enrollment;
    const other = byNode.get(nodeDid);
    if (!other || other.createdAt < createdAt) byNode.set(nodeDid, enrollment);
  }
  const newest = [...byNode.values()].sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime());
  return Promise.all(
    newest.map(async (enrollment) => ({
      ...enrollment,
      node: await findNode(enrollment.nodeDid, { dids }).catch(undefinedIfStratos),
    })),
  );
}

async function* enrollmentRecords(
  repo: Did,
  service: XrpcService,
  { timeoutMs, signal }: Asking,
): AsyncGenerator<EnrollmentRecord> {
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const params = { repo, collection: COLLECTION, limit: PAGE, cursor };
    const call = { params, timeoutMs, signal };
    const answer = await query(service, 'com.atproto.repo.listRecords', call);
    for (const record of listOf(answer, 'records')) {
      const rkey = textOf(record, 'uri')?.split('/').at(-1) ?? '';
      const enrollment = parseEnrollmentRecord(rkey, fieldOf(record, 'value'));
      if (enrollment) yield enrollment;
    }
    const next = textOf(answer, 'cursor');
    if (next === undefined || next === cursor) return;
    cursor = next;
  }
}

function undefinedIfStratos(error: unknown): undefined {
  if (!(error instanceof StratosError)) throw error;
}
