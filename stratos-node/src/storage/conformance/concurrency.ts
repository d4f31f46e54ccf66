import { describe, expect, it } from 'vitest';
import { commitOf, didOf, KEY, revOf } from './fixtures.ts';
import { type MakePlace, openedFor } from './opened.ts';

/** That writers of one actor take turns, and those of others do not wait for them. */
export function concurrencySuite(makePlace: MakePlace): void {
  describe('are written by many at once', () => {
    const storage = openedFor(makePlace);

    it('one after the other, none of them failing', async () => {
      const did = didOf('busy');
      await storage.actors.create(did, KEY);
      const first = commitOf([], { rev: revOf(1) });
      await storage.actors.write(did, (actor) => actor.applyCommit(first));
      let inside = 0;
      const writers = Array.from({ length: 20 }, (_, index) =>
        storage.actors.write(did, async (actor) => {
          inside += 1;
          expect(inside).toBe(1);
          const seen = await actor.eventsAfter(0, 100);
          const rev = revOf(seen.size + 1);
          const seq = await actor.applyCommit(
            commitOf([{ rkey: `r${index}`, text: `t${index}` }], { rev }),
          );
          inside -= 1;
          return seq;
        }),
      );
      const seqs = await Promise.all(writers);
      expect(new Set(seqs).size).toBe(20);
      const events = await storage.actors.read(did, (actor) => actor.eventsAfter(0, 100));
      expect(events?.size).toBe(21);
      expect([...(events?.keys() ?? [])].slice(1)).toEqual(seqs.toSorted((a, b) => a - b));
    });

    it('without keeping anybody else waiting', async () => {
      const [slow, quick] = [didOf('slow'), didOf('quick')];
      await storage.actors.create(slow, KEY);
      await storage.actors.create(quick, KEY);
      const { promise: told, resolve: tell } = Promise.withResolvers<void>();
      const held = Array.from({ length: 30 }, () => storage.actors.write(slow, () => told));
      const commit = commitOf([{ rkey: 'a', text: 'quick' }], { rev: revOf(1) });
      await storage.actors.write(quick, (actor) => actor.applyCommit(commit));
      expect(await storage.actors.read(quick, (actor) => actor.root())).toEqual(commit.root);
      tell();
      await Promise.all(held);
    });

    it('seen by others only once they are committed', async () => {
      const did = didOf('dirty');
      await storage.actors.create(did, KEY);
      const first = commitOf([], { rev: revOf(1) });
      const second = commitOf([], { rev: revOf(2) });
      await storage.actors.write(did, (actor) => actor.applyCommit(first));
      const reads: Promise<unknown>[] = [];
      await storage.actors.write(did, async (actor) => {
        await actor.applyCommit(second);
        reads.push(storage.actors.read(did, (reader) => reader.root()));
        await new Promise((resolve) => setImmediate(resolve));
      });
      // @NOTE one backend answers before, the other makes the reader wait: never with half of it
      expect([first.root, second.root]).toContainEqual((await Promise.all(reads))[0]);
      expect(await storage.actors.read(did, (reader) => reader.root())).toEqual(second.root);
    });
  });
}
