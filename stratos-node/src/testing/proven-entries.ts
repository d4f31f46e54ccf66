import {
  type MembershipEntry,
  type MembershipLogHead,
  signingKeysOf,
  verifyMembershipEntry,
} from '@stratos/protocol';
import { expect } from 'vitest';
import { StreamClient } from './stream-client.ts';
import { NODE_DID, type TestNode } from './test-node.ts';

/** The entries of a node's log, each proven to be the node's word and to follow the one before. */
export async function provenEntries(node: TestNode): Promise<MembershipEntry[]> {
  await using stream = await StreamClient.open(node, node.appView, 0);
  await stream.until((client) => client.of('#heartbeat').length > 0);
  const document = await (await fetch(`${node.url}/.well-known/did.json`)).json();
  const keys = signingKeysOf(document);
  let previous: MembershipLogHead | undefined;
  const entries = [];
  for (const { entry: bytes } of stream.of('#membership')) {
    const { entry, cid } = await verifyMembershipEntry(bytes as Uint8Array, {
      service: NODE_DID,
      keys,
      previous,
    });
    previous = { seq: entry.seq, cid };
    entries.push(entry);
  }
  expect(stream.of('#heartbeat')[0]).toMatchObject({ membershipSeq: previous?.seq ?? 0 });
  expect(String(stream.of('#heartbeat')[0]?.['membershipHead'])).toBe(String(previous?.cid));
  return entries;
}
