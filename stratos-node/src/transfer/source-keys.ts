import {
  type Did,
  type DidKey,
  decodeCanonicalMap,
  isDidKey,
  parseEnrollmentRecord,
  pdsEndpointOf,
  signingKeysOf,
  verifyAttestation,
} from '@stratos/protocol';
import { com, zone } from '@stratos/protocol/lexicons';
import { z } from 'zod';
import type { NodeContext } from '../context.ts';

type KeyContext = Pick<NodeContext, 'config' | 'identity' | 'logger' | 'service'>;

const listAnswer = z.object({ records: z.array(z.object({ value: z.unknown() })) });

/**
 * The keys by which a person's repo at a node is signed, as that node attests them: what we have
 * said ourselves, and the enrollment records on the person's PDS that the source node has signed.
 */
export async function sourceKeys(ctx: KeyContext, did: Did, source: Did): Promise<DidKey[]> {
  const own = source === ctx.config.serviceDid ? await ownWord(ctx, did) : [];
  return [...new Set([...own, ...(await wordOnPds(ctx, did, source))])];
}

/** All keys that this node has ever said to be the person's. */
async function ownWord({ service }: KeyContext, did: Did): Promise<DidKey[]> {
  const entries = await service.memberships.entriesOf(did);
  return entries.map((entry) => decodeCanonicalMap(entry)['signingKey']).filter(isDidKey);
}

async function wordOnPds(ctx: KeyContext, did: Did, source: Did): Promise<DidKey[]> {
  try {
    const node = await ctx.identity.didDocument(source);
    const nodeKeys = node ? signingKeysOf(node) : [];
    const records = await enrollmentRecords(ctx, did);
    return records.flatMap((value) => {
      const record = parseEnrollmentRecord(value);
      if (!record) return [];
      const { boundaries, signingKey, attestation } = record;
      const isAttested = verifyAttestation(attestation, { did, boundaries, signingKey }, nodeKeys);
      return isAttested ? [signingKey] : [];
    });
  } catch (error) {
    ctx.logger.warn({ err: error, did, source }, 'the enrollment with a source cannot be read');
    return [];
  }
}

async function enrollmentRecords({ identity }: KeyContext, did: Did): Promise<unknown[]> {
  const document = await identity.didDocument(did);
  const pds = document && pdsEndpointOf(document);
  if (pds === undefined) return [];
  const url = new URL(`/xrpc/${com.atproto.repo.listRecords.$nsid}`, pds);
  const collection = zone.stratos.actor.enrollment.$nsid;
  url.search = new URLSearchParams({ repo: did, collection, limit: '100' }).toString();
  const response = await identity.fetch(url);
  if (!response.ok) {
    await response.body?.cancel();
    return [];
  }
  return listAnswer.parse(await response.json()).records.map(({ value }) => value);
}
