import { setImmediate } from 'node:timers/promises';
import type { Did } from '@stratos/protocol';
import type { NodeContext } from '../context.ts';
import type { StubChange } from '../storage/actor-storage.ts';

const EVENTS_PER_READ = 500;

export type WrittenStub = Extract<StubChange, { action: 'put' }>;

/** The stubs that a person's writes leave on their PDS once the outbox is done, as they were written. */
export async function stubsLeft(
  { actors }: Pick<NodeContext, 'actors'>,
  did: Did,
): Promise<WrittenStub[]> {
  const left = new Map<string, WrittenStub>();
  for (let after = 0; ; ) {
    const seq = after;
    const events = await actors.read(did, (actor) => actor.eventsAfter(seq, EVENTS_PER_READ));
    if (!events || events.size === 0) return [...left.values()];
    for (const [position, { stubs = [] }] of events) {
      for (const change of stubs) {
        const path = `${change.collection}/${change.rkey}`;
        if (change.action === 'put') left.set(path, change);
        else left.delete(path);
      }
      after = position;
    }
    // @NOTE SQLite answers without a turn of the event loop, and others need theirs
    await setImmediate();
  }
}
