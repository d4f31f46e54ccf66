import { beforeEach, describe, expect, it } from 'vitest';
import { AEKEA, SWORDSMITH } from '../../testing/test-node.ts';
import type { StoredBlob } from '../actor-blobs.ts';
import type { ActorTransactor } from '../actor-storage.ts';
import { blockOf, commitOf, didOf, KEY, revOf, uriOf } from './fixtures.ts';
import { type MakePlace, openedFor } from './opened.ts';

/** What an actor's store knows of blobs. */
export function blobSuite(makePlace: MakePlace): void {
  describe('know blobs', () => {
    const storage = openedFor(makePlace);
    let did = didOf('blobs');
    let number = 0;
    const [one, two] = [blobOf('one'), blobOf('two')];
    const [a, b] = ['a', 'b'];

    function blobOf(name: string): StoredBlob {
      const createdAt = '2026-01-01T00:00:00.000Z';
      const [cid] = blockOf(name);
      const tempKey = `temp-${name}`;
      return {
        cid,
        mimeType: 'image/png',
        size: 5_000_000_000,
        tempKey,
        createdAt,
        takedownRef: null,
      };
    }

    const write = <T>(task: (actor: ActorTransactor) => Promise<T>) =>
      storage.actors.write(did, task);

    beforeEach(async () => {
      number += 1;
      did = didOf(`blobs${number}`);
      await storage.actors.create(did, KEY);
      const changes = [
        { rkey: a, text: 'with one', boundaries: [SWORDSMITH] },
        { rkey: b, text: 'with both', boundaries: [AEKEA] },
      ];
      await write(async (actor) => {
        await actor.applyCommit(commitOf(changes, { rev: revOf(1) }));
        await actor.blobs.put(one);
        await actor.blobs.put(two);
      });
    });

    const referToBoth = (actor: ActorTransactor) =>
      actor.blobs.refer(
        new Map([
          [uriOf(did, a), [one.cid]],
          [uriOf(did, b), [one.cid, two.cid, two.cid]],
        ]),
      );

    it('which are temporary until a record refers to them', async () => {
      await write(async ({ blobs }) => {
        expect(await blobs.find([one.cid, blockOf('absent')[0]])).toEqual(
          new Map([[one.cid, one]]),
        );
        expect((await blobs.temporaryKeys()).sort()).toEqual(['temp-one', 'temp-two']);
        expect(await blobs.unreferenced('2025-01-01')).toEqual([]);
        expect(await blobs.unreferenced('2027-01-01')).toHaveLength(2);
      });
      expect(await write(referToBoth)).toBe(false);
      await write(async ({ blobs }) => {
        expect(await blobs.temporaryKeys()).toEqual([]);
        expect((await blobs.find([two.cid])).get(two.cid)).toEqual({ ...two, tempKey: null });
        expect(await blobs.isReferredTo(one.cid)).toBe(true);
      });
    });

    it('and the records that refer to them', async () => {
      await write(referToBoth);
      const all = { boundaries: undefined, limit: 10 };
      await write(async ({ blobs }) => {
        const uris = [uriOf(did, a), uriOf(did, b)];
        expect((await blobs.recordsWith(one.cid, all)).sort()).toEqual(uris);
        expect(await blobs.recordsWith(one.cid, { ...all, boundaries: [AEKEA] })).toEqual([
          uriOf(did, b),
        ]);
        expect(await blobs.recordsWith(two.cid, { ...all, boundaries: [SWORDSMITH] })).toEqual([]);
        expect(await blobs.recordsWith(one.cid, { ...all, boundaries: [] })).toEqual([]);
        expect(await blobs.recordsWith(one.cid, { ...all, limit: 1 })).toHaveLength(1);
      });
      expect(await write(({ blobs }) => blobs.refer(new Map([[uriOf(did, b), []]])))).toBe(true);
      await write(async ({ blobs }) => {
        expect(await blobs.isReferredTo(two.cid)).toBe(false);
        expect((await blobs.unreferenced('2025-01-01')).map(({ cid }) => cid)).toEqual([two.cid]);
      });
    });

    it('by pages, none that are taken down', async () => {
      await write(referToBoth);
      const sorted = [one.cid, two.cid].sort();
      const page = { limit: 10, after: undefined, since: undefined };
      await write(async ({ blobs }) => {
        expect(await blobs.page(page)).toEqual(sorted);
        expect(await blobs.page({ ...page, limit: 1 })).toEqual(sorted.slice(0, 1));
        expect(await blobs.page({ ...page, after: sorted[0] })).toEqual(sorted.slice(1));
        expect(await blobs.page({ ...page, since: revOf(1) })).toEqual([]);
        await blobs.setTakedown(one.cid, 'by the operator');
        expect(await blobs.page(page)).toEqual([two.cid]);
      });
    });

    it('until they are forgotten, but for those that are taken down', async () => {
      await write(referToBoth);
      await write(async ({ blobs }) => {
        await blobs.setTakedown(one.cid, 'by the operator');
        await blobs.forget([one.cid, two.cid]);
        expect([...(await blobs.find([one.cid, two.cid])).keys()]).toEqual([one.cid]);
        await blobs.setTakedown(one.cid, null);
        await blobs.forgetAll();
        expect(await blobs.find([one.cid, two.cid])).toEqual(new Map());
      });
    });
  });
}
