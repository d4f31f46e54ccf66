import {
  type Did,
  signingKeysOf,
  toDid,
  type VerifiedMembershipLog,
  verifyKeyHistory,
  verifyMembershipLog,
} from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { z } from 'zod';

/** A node that did not answer as it should. */
export class ExportError extends Error {
  override name = 'ExportError';
}

const nsid = zone.stratos.admin.getMembershipLog.$nsid;
const keyHistory = zone.stratos.identity.getKeyHistory.$nsid;
const historyAnswer = z.object({ keys: z.array(z.unknown()) });
const page = z.object({
  entries: z.array(z.object({ entry: z.object({ $bytes: z.string() }) })),
  cursor: z.int().optional(),
});

/** A log that holds, and whose it is. */
export interface CheckedLog extends VerifiedMembershipLog {
  service: Did;
}

/**
 * Fetches a node's whole membership log and checks it, see {@link checkLogOf}.
 *
 * @throws {@link ExportError}, and ProofError at the first entry that does not hold
 */
export async function checkExportedLog(nodeUrl: string, password: string): Promise<CheckedLog> {
  return checkLogOf(nodeUrl, exportedEntries(nodeUrl, password));
}

/**
 * Checks a log against the keys that its node has now and had before: of its DID document, and of
 * the history that leads to it.
 *
 * @throws {@link ExportError}, and ProofError at the first entry that does not hold
 */
export async function checkLogOf(
  nodeUrl: string,
  entries: AsyncIterable<Uint8Array>,
): Promise<CheckedLog> {
  const document = await (await ask(new URL('/.well-known/did.json', nodeUrl))).json();
  const service = toDid(document.id);
  const keys = signingKeysOf(document);
  const published = await (await ask(new URL(`/xrpc/${keyHistory}`, nodeUrl))).json();
  const history = verifyKeyHistory(historyAnswer.parse(published).keys, {
    did: service,
    currentKeys: keys,
  });
  return { service, ...(await verifyMembershipLog(entries, { service, keys, history })) };
}

async function* exportedEntries(nodeUrl: string, password: string): AsyncGenerator<Uint8Array> {
  const url = new URL(`/xrpc/${nsid}?limit=1000`, nodeUrl);
  for (;;) {
    const authorization = `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`;
    const { entries, cursor } = page.parse(await (await ask(url, { authorization })).json());
    for (const { entry } of entries) yield Buffer.from(entry.$bytes, 'base64');
    if (cursor === undefined) return;
    url.searchParams.set('cursor', String(cursor));
  }
}

async function ask(url: URL, headers: Record<string, string> = {}): Promise<Response> {
  const response = await fetch(url, { headers, redirect: 'error' });
  if (!response.ok) throw new ExportError(`${url.origin}${url.pathname}: ${response.status}`);
  return response;
}
