import type { Cid } from '@stratos/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ServiceStorage } from '../service-storage.ts';
import type { OpenStorage, StoragePlace } from './describe-storage.ts';
import { didOf } from './fixtures.ts';
import { type MakePlace, openedFor } from './opened.ts';

/** The node's stream, the log of memberships, and how commits come into the stream. */
export function logSuite(makePlace: MakePlace): void {
  describe('events', () => {
    const storage = openedFor(makePlace);
    const did = didOf('events');
    const time = '2026-01-01T00:00:00.000Z';
    const event = (ref: number) => ({ did, kind: 'commit' as const, ref, time });

    it('are in the order of appending, each once, down to a floor', async () => {
      const { events } = storage.service;
      expect(await events.head()).toBe(0);
      expect(await events.floor()).toBe(0);
      for (const ref of [1, 2, 3]) await events.append(event(ref));
      await events.append(event(2));
      await events.append({ did, kind: 'membership', ref: 2, time });
      const all = await events.after(0, 100);
      expect(all.map(({ kind, ref }) => `${kind} ${ref}`)).toEqual([
        'commit 1',
        'commit 2',
        'commit 3',
        'membership 2',
      ]);
      expect(all[0]).toEqual({ seq: expect.any(Number), ...event(1) });
      const seqs = all.map(({ seq }) => seq);
      expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
      const [, second = 0, third = 0, head = 0] = seqs;
      expect(await events.head()).toBe(head);
      expect((await events.after(second, 1)).map(({ seq }) => seq)).toEqual([third]);
      await events.raiseFloor(third);
      await events.raiseFloor(second);
      await events.deleteBelowFloor();
      expect(await events.floor()).toBe(third);
      expect((await events.after(0, 100)).map(({ seq }) => seq)).toEqual([head]);
      await events.raiseFloor(head);
      await events.deleteBelowFloor();
      expect(await events.head()).toBe(head);
      await events.append(event(4));
      expect(await events.head()).toBeGreaterThan(head);
    });

    it('that are seen are never preceded by one that comes later', async () => {
      const { service } = storage;
      const start = await service.events.head();
      const person = didOf('order');
      const writers = Array.from({ length: 60 }, (_, index) => write(service, index));
      let isDone = false;
      const finished = Promise.all(writers).then(() => {
        isDone = true;
      });
      const seen: number[] = [];
      let last = start;
      while (!isDone || (await service.events.head()) > last) {
        for (const { seq } of await service.events.after(last, 7)) {
          seen.push(seq);
          last = seq;
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
      await finished;
      const all = (await service.events.after(start, 1_000)).map(({ seq }) => seq);
      expect(all).toHaveLength(60);
      expect(seen).toEqual(all);

      async function write(to: ServiceStorage, ref: number): Promise<void> {
        const entry = { did: person, kind: 'commit' as const, ref, time };
        if (ref % 3 === 0) return to.events.append(entry);
        await to.transact(async (stores) => {
          await stores.events.append(entry);
          await new Promise((resolve) => setTimeout(resolve, (ref * 7) % 5));
        });
      }
    });
  });

  describe('memberships', () => {
    const storage = openedFor(makePlace);
    const entry = (seq: number, name: string) => ({
      seq,
      cid: `cid${seq}` as Cid,
      did: didOf(name),
      entry: new Uint8Array([seq]),
      issuedAt: '2026-01-01T00:00:00.000Z',
    });

    it('are a log with a head, in which each knows what it changed', async () => {
      const { memberships } = storage.service;
      expect(await memberships.head()).toBeUndefined();
      for (const [index, name] of ['a', 'b', 'a', 'a'].entries()) {
        await memberships.append(entry(index + 1, name));
      }
      expect(await memberships.head()).toEqual({ seq: 4, cid: 'cid4' });
      await expect(memberships.append(entry(4, 'c'))).rejects.toThrow();
      const after = await memberships.after(1, 2);
      expect(after).toEqual([
        { seq: 2, cid: 'cid2', entry: new Uint8Array([2]) },
        { seq: 3, cid: 'cid3', entry: new Uint8Array([3]) },
      ]);
      const changes = await memberships.changesAfter(0, 10);
      expect(changes.map(({ seq, before }) => [seq, before?.[0]])).toEqual([
        [1, undefined],
        [2, undefined],
        [3, 1],
        [4, 3],
      ]);
      expect(await memberships.entries([4, 1, 9])).toEqual(
        new Map([
          [1, new Uint8Array([1])],
          [4, new Uint8Array([4])],
        ]),
      );
      expect(await memberships.entries([])).toEqual(new Map());
    });

    it('are a chain, however many append to it', async () => {
      const append = (name: string) =>
        storage.service.transact(async ({ memberships }) => {
          const seq = ((await memberships.head())?.seq ?? 0) + 1;
          await new Promise((resolve) => setTimeout(resolve, 1));
          await memberships.append(entry(seq, name));
        });
      const before = (await storage.service.memberships.head())?.seq ?? 0;
      await Promise.all(Array.from({ length: 20 }, (_, index) => append(`p${index}`)));
      expect((await storage.service.memberships.head())?.seq).toBe(before + 20);
    });
  });

  describe('publications', () => {
    const storage = openedFor(makePlace);
    const time = '2026-01-01T00:00:00.000Z';
    let did = didOf('published');
    let number = 0;
    beforeEach(() => {
      number += 1;
      did = didOf(`published${number}`);
    });
    const stubs = [{ action: 'delete' as const, collection: 'x', rkey: 'y' }];

    it('go on from where they were', async () => {
      const { publications } = storage.service;
      expect(await publications.publishedSeq(did)).toBe(0);
      await publications.advance(did, 3);
      await publications.advance(did, 5);
      expect(await publications.publishedSeq(did)).toBe(5);
    });

    it('take the next commit of an actor and no other', async () => {
      const { service } = storage;
      const commit = (seq: number) => ({ did, seq, time, stubs });
      expect(await service.publishNext(commit(2))).toBe(false);
      expect(await service.publishNext(commit(1))).toBe(true);
      expect(await service.publishNext(commit(1))).toBe(false);
      expect(await service.publications.publishedSeq(did)).toBe(1);
      expect(await service.outbox.count(did)).toBe(1);
      const others = Array.from({ length: 50 }, (_, index) => didOf(`p${number}-${index}`));
      const results = await Promise.all(
        others.flatMap((other) => [
          service.publishNext({ did: other, seq: 1, time, stubs: [] }),
          service.publishNext({ did: other, seq: 2, time, stubs: [] }),
        ]),
      );
      expect(results).toEqual(results.map(() => true));
      const events = (await service.events.after(0, 1_000)).filter((each) =>
        others.includes(each.did),
      );
      expect(events).toHaveLength(100);
      for (const other of others) {
        const refs = events.filter((each) => each.did === other).map(({ ref }) => ref);
        expect(refs).toEqual([1, 2]);
      }
    });
  });

  it('marks outlive a process that did not take them back', async () => {
    await using place: StoragePlace = await makePlace();
    const [kept, cleaned] = [didOf('kept'), didOf('cleaned')];
    {
      await using storage: OpenStorage = await place.open();
      await storage.service.publications.markDirty(kept);
      await storage.service.publications.markDirty(kept);
      await storage.service.publications.markDirty(cleaned);
      await storage.service.publications.markClean(cleaned);
    }
    await using storage = await place.open();
    expect(await storage.service.publications.dirtyActors()).toEqual([kept]);
    await storage.service.publications.recovered(kept);
    expect(await storage.service.publications.dirtyActors()).toEqual([]);
  });
}
