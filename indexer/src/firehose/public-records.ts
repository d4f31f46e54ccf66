import { type IdResolver, parseToAtprotoDocument } from '@atproto/identity';
import { verifyRecords } from '@atproto/repo';
import { type EnrollmentRecord, parseEnrollmentRecord } from '@stratos/protocol';
import { com, zone } from '@stratos/protocol/lexicons';
import { z } from 'zod';

const ENROLLMENT = zone.stratos.actor.enrollment.$nsid;
const POST = zone.stratos.feed.post.$nsid;
const RECORDS_PER_PAGE = 50;
const MAX_STUB_PAGES = 200;
const MAX_ENROLLMENTS = RECORDS_PER_PAGE;

const page = z.object({
  records: z.array(z.object({ uri: z.string(), value: z.unknown() })),
  cursor: z.string().optional(),
});
const latestCommit = z.object({ rev: z.string() });
const aside = z.object({ error: z.enum(['RepoDeactivated', 'RepoSuspended', 'RepoTakendown']) });

/** What a person's PDS has of theirs that matters here. */
export interface PublicRecords {
  /** Revision of the repo that the rest is at least as new as. */
  rev: string;
  /** By rkey; undefined for one that can no longer be read. Each is shown by the account's key. */
  enrollments: Map<string, EnrollmentRecord | undefined>;
  /** By URI, as the PDS gives them; undefined when they are too many, or of no use. */
  stubs: Map<string, unknown> | undefined;
}

/** A PDS does not give what it should have. */
export class PublicRecordsError extends Error {
  override name = 'PublicRecordsError';
}

/** The account is not in use, and its PDS gives nothing of it. */
export class AccountAsideError extends PublicRecordsError {
  override name = 'AccountAsideError';
}

export interface PublicRecordsSource {
  ids: IdResolver;
  /** The guarded client. */
  fetch: typeof globalThis.fetch;
  signal: AbortSignal;
}

/**
 * Reads a person's enrollments and stubs from their PDS, as its DID document is now.
 *
 * @throws AccountAsideError when the account is not in use
 */
export async function readPublicRecords(
  { ids, fetch, signal }: PublicRecordsSource,
  did: string,
): Promise<PublicRecords> {
  const document = await ids.did.ensureResolve(did, true);
  const { pds, signingKey } = parseToAtprotoDocument(document);
  if (!pds || !signingKey) throw new PublicRecordsError('the DID document names no PDS');

  async function get(nsid: string, params: Record<string, string>): Promise<Response> {
    const url = new URL(`/xrpc/${nsid}?${new URLSearchParams(params)}`, pds);
    const response = await fetch(url, { signal });
    if (response.ok) return response;
    const said = aside.safeParse(await response.json().catch(() => undefined));
    if (said.success) throw new AccountAsideError(`the PDS answers ${said.data.error}`);
    throw new PublicRecordsError(`the PDS answers ${response.status} to ${nsid}`);
  }

  async function list(
    collection: string,
    maxPages: number,
  ): Promise<Map<string, unknown> | undefined> {
    const found = new Map<string, unknown>();
    const params = { repo: did, collection, limit: String(RECORDS_PER_PAGE) };
    let cursor: string | undefined;
    for (let pages = 0; pages < maxPages; pages++) {
      const response = await get(com.atproto.repo.listRecords.$nsid, {
        ...params,
        ...(cursor !== undefined && { cursor }),
      });
      const parsed = page.parse(await response.json());
      for (const { uri, value } of parsed.records) found.set(uri, value);
      cursor = parsed.cursor;
      if (cursor === undefined || parsed.records.length < RECORDS_PER_PAGE) return found;
    }
    return undefined;
  }

  /** The record as the account has signed it. */
  async function proven(rkey: string, key: string): Promise<EnrollmentRecord | undefined> {
    const params = { did, collection: ENROLLMENT, rkey };
    const response = await get(com.atproto.sync.getRecord.$nsid, params);
    const car = new Uint8Array(await response.arrayBuffer());
    const claims = await verifyRecords(car, did, key);
    const claim = claims.find((shown) => shown.collection === ENROLLMENT && shown.rkey === rkey);
    if (!claim) throw new PublicRecordsError('the PDS does not show a record that it lists');
    return parseEnrollmentRecord(claim.record);
  }

  const response = await get(com.atproto.sync.getLatestCommit.$nsid, { did });
  const { rev } = latestCommit.parse(await response.json());
  const listed = await list(ENROLLMENT, MAX_ENROLLMENTS / RECORDS_PER_PAGE);
  if (!listed) throw new PublicRecordsError('the person has more enrollments than may be');
  const enrollments = new Map<string, EnrollmentRecord | undefined>();
  for (const uri of listed.keys()) {
    const rkey = uri.split('/').at(-1) ?? '';
    enrollments.set(rkey, await proven(rkey, signingKey));
  }
  const stubs = enrollments.size > 0 ? await list(POST, MAX_STUB_PAGES) : undefined;
  return { rev, enrollments, stubs };
}
