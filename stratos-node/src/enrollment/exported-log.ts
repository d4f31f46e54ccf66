import {
  type Did,
  signingKeysOf,
  toDid,
  type VerifiedMembershipLog,
  verifyMembershipLog,
} from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { z } from 'zod';

/** A node that did not answer as it should. */
export class ExportError extends Error {
  override name = 'ExportError';
}

const nsid = zone.stratos.admin.getMembershipLog.$nsid;
const page = z.object({
  entries: z.array(z.object({ entry: z.object({ $bytes: z.string() }) })),
  cursor: z.int().optional(),
});

/**
 * Fetches a node's whole membership log and checks it against the keys of the node's DID document.
 *
 * @throws {@link ExportError}, and ProofError at the first entry that does not hold
 */
export async function checkExportedLog(
  nodeUrl: string,
  password: string,
): Promise<VerifiedMembershipLog & { service: Did }> {
  const document = await (await ask(new URL('/.well-known/did.json', nodeUrl))).json();
  const service = toDid(document.id);
  const log = exportedEntries(nodeUrl, password);
  return {
    service,
    ...(await verifyMembershipLog(log, { service, keys: signingKeysOf(document) })),
  };
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
