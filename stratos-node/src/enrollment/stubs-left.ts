import { setImmediate } from 'node:timers/promises';
import { buildStub, type Did, decodeRecord } from '@stratos/protocol';
import type { NodeContext } from '../context.ts';
import type { StoredRecord, StubChange } from '../storage/actor-storage.ts';

const RECORDS_PER_READ = 200;

export type WrittenStub = Extract<StubChange, { action: 'put' }>;

/** The stubs that a person's records have on their PDS once the outbox is done; none without stubs. */
export async function stubsLeft(
  { actors, config }: Pick<NodeContext, 'actors' | 'config'>,
  did: Did,
): Promise<WrittenStub[]> {
  if (!config.stubs) return [];
  const left: WrittenStub[] = [];
  // @NOTE not from the log, which forgets
  for (const collection of (await actors.read(did, (actor) => actor.collections())) ?? []) {
    for (let after: string | undefined; ; ) {
      const page = { collection, after, limit: RECORDS_PER_READ, descending: false };
      const records = await actors.read(did, (actor) =>
        actor.recordPage({ ...page, boundaries: undefined }),
      );
      for (const record of records ?? []) left.push(await stubOf(config, record));
      after = records?.at(-1)?.rkey;
      if (after === undefined) break;
      // @NOTE SQLite answers without a turn of the event loop, and others need theirs
      await setImmediate();
    }
  }
  return left;
}

async function stubOf(
  { serviceDid: nodeDid, serviceFragment: fragment }: NodeContext['config'],
  { uri, cid, collection, rkey, bytes }: StoredRecord,
): Promise<WrittenStub> {
  // @NOTE a record that is damaged must keep nobody from leaving
  const record = await decodeRecord(bytes, cid).catch(() => ({}));
  const stub = buildStub({ uri, cid, nodeDid, fragment, record });
  return { action: 'put', collection, rkey, stub };
}
