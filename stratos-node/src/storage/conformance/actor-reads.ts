import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { AEKEA, SWORDSMITH } from '../../testing/test-node.ts';
import type { ActorReader, RecordContent, RecordPage } from '../actor-storage.ts';
import { blockOf, commitOf, didOf, KEY, POST, revOf, uriOf } from './fixtures.ts';
import { type MakePlace, openedFor } from './opened.ts';

const OTHER = `${POST}er`;
/** In the order of bytes, which is not the order of any language. */
const RKEYS = ['-a', '.b', '3a', 'A', 'B', 'Z', '_c', 'a', 'b', 'z', '~'];

/** What can be read of an actor. */
export function actorReadSuite(makePlace: MakePlace): void {
  describe('are read', () => {
    const storage = openedFor(makePlace);
    const did = didOf('reader');
    const read = async <T>(task: (actor: ActorReader) => Promise<T>): Promise<T> => {
      const result = await storage.actors.read(did, task);
      if (result === undefined) throw new Error('there is no such actor');
      return result;
    };
    const boundariesOf = (index: number) =>
      [[SWORDSMITH], [AEKEA], [SWORDSMITH, AEKEA], []][index % 4] ?? [];

    beforeAll(async () => {
      await storage.actors.create(did, KEY);
      await storage.actors.write(did, async (actor) => {
        for (const [index, rkey] of RKEYS.entries()) {
          const changes = [
            { rkey, text: `post ${rkey}`, boundaries: boundariesOf(index) },
            { rkey, text: `other ${rkey}`, collection: OTHER },
          ];
          const time = new Date(1_000 * index).toISOString();
          await actor.applyCommit(commitOf(changes, { rev: revOf(index + 1), time }));
        }
      });
    });

    it('by pages that are full, in the order of bytes, as an array would be', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.record({
            limit: fc.integer({ min: 1, max: 12 }),
            after: fc.option(fc.constantFrom(...RKEYS, '', 'm'), { nil: undefined }),
            descending: fc.boolean(),
            boundaries: fc.option(fc.uniqueArray(fc.constantFrom(SWORDSMITH, AEKEA)), {
              nil: undefined,
            }),
          }),
          async (page) => {
            const records = await read((actor) => actor.recordPage({ ...page, collection: POST }));
            expect(records.map(({ rkey }) => rkey)).toEqual(expectedPage(page));
          },
        ),
        { numRuns: 60 },
      );
    });

    function expectedPage({
      limit,
      after,
      descending,
      boundaries,
    }: Omit<RecordPage, 'collection'>) {
      const shown = RKEYS.filter((_, index) =>
        boundaries ? boundariesOf(index).some((each) => boundaries.includes(each)) : true,
      ).filter((rkey) => after === undefined || (descending ? rkey < after : rkey > after));
      return (descending ? shown.reverse() : shown).slice(0, limit);
    }

    it('by addresses and CIDs, leaving out those that there are not', async () => {
      const missing = uriOf(did, 'missing');
      const [a, b] = [uriOf(did, 'a'), uriOf(did, 'b')];
      const records = await read((actor) => actor.records([a, missing, b]));
      expect([...records.keys()].sort()).toEqual([a, b]);
      expect(await read((actor) => actor.records([]))).toEqual(new Map());
      const contents = await storage.actors.contents(did, [a, missing, b]);
      const bytesOf = (list: Iterable<RecordContent>) =>
        new Map(Array.from(list, ({ uri, bytes }) => [uri, bytes]));
      expect(bytesOf(contents ?? [])).toEqual(bytesOf(records.values()));
      expect(await storage.actors.contents(didOf('nobody'), [a])).toBeUndefined();
      const [cid, bytes] = blockOf('post a');
      const [absent] = blockOf('absent');
      expect(await read((actor) => actor.blocks([absent, cid]))).toEqual(new Map([[cid, bytes]]));
      expect(await read((actor) => actor.blocks([]))).toEqual(new Map());
      const standings = await read((actor) => actor.standings([missing, a]));
      expect([...standings.keys()]).toEqual([a]);
      expect(await read((actor) => actor.standings([]))).toEqual(new Map());
      expect(await read((actor) => actor.events([]))).toEqual(new Map());
    });

    it('by collections', async () => {
      expect(await read((actor) => actor.collections())).toEqual([POST, OTHER]);
    });

    it('as blocks, all or by revision', async () => {
      const all = await read((actor) => actor.blockCids());
      expect(all).toHaveLength(3 * RKEYS.length);
      let after = { rev: '', cid: '' };
      const paged: string[] = [];
      for (;;) {
        const page = await read((actor) => actor.blockPage({ after, limit: 4 }));
        const last = page.at(-1);
        if (!last) break;
        paged.push(...page.map(({ cid }) => cid));
        after = last;
      }
      expect([...paged].sort()).toEqual([...all].sort());
      expect(paged).toHaveLength(all.length);
      const newest = revOf(RKEYS.length);
      const since = await read((actor) =>
        actor.blockPage({ after: { rev: newest, cid: '' }, limit: 100 }),
      );
      expect(since.map(({ rev }) => rev)).toEqual([newest, newest, newest]);
    });

    it('as events, in order', async () => {
      const all = await read((actor) => actor.eventsAfter(0, 100));
      const seqs = [...all.keys()];
      expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
      expect([...all.values()].map(({ rev }) => rev)).toEqual(RKEYS.map((_, i) => revOf(i + 1)));
      const [, second = 0, third = 0] = seqs;
      const some = await read((actor) => actor.eventsAfter(second, 1));
      expect([...some.keys()]).toEqual([third]);
      const named = await read((actor) => actor.events([third, second, 999_999]));
      expect(named).toEqual(new Map([third, second].map((seq) => [seq, all.get(seq)])));
      const newest = await read(async (actor) => (await actor.newestEvent()) ?? []);
      expect(newest).toEqual([seqs.at(-1), all.get(seqs.at(-1) ?? 0)]);
      expect(await read((actor) => actor.commitOf(revOf(2)))).toBe(all.get(second)?.commit);
      expect(await storage.actors.read(did, (actor) => actor.commitOf(revOf(99)))).toBeUndefined();
    });

    it('without events that are forgotten', async () => {
      const person = didOf('forgetful');
      await storage.actors.create(person, KEY);
      const seqs: number[] = [];
      for (const number of [1, 2, 3]) {
        const commit = commitOf([{ rkey: `r${number}`, text: `t${number}` }], {
          rev: revOf(number),
        });
        seqs.push(await storage.actors.write(person, (actor) => actor.applyCommit(commit)));
      }
      const [, second = 0, third = 0] = seqs;
      await storage.actors.write(person, (actor) => actor.forgetEvents(second, second));
      await storage.actors.write(person, (actor) => actor.forgetEvents(0, 1));
      await storage.actors.read(person, async (actor) => {
        expect([...(await actor.eventsAfter(0, 10)).keys()]).toEqual([third]);
        expect(await actor.eventFloor()).toBe(second);
        expect(await actor.commitOf(revOf(1))).toBeUndefined();
      });
      await storage.actors.write(person, (actor) => actor.forgetEvents(third, third));
      await storage.actors.read(person, async (actor) => {
        expect(await actor.newestEvent()).toBeUndefined();
        expect(await actor.commitOf(revOf(3))).toBe((await actor.root())?.cid);
      });
      const next = commitOf([{ rkey: 'r4', text: 't4' }], { rev: revOf(4) });
      const seq = await storage.actors.write(person, (actor) => actor.applyCommit(next));
      expect(seq).toBeGreaterThan(third);
    });

    it('on one snapshot, which a commit meanwhile does not change', async () => {
      const person = didOf('snapshot');
      await storage.actors.create(person, KEY);
      const first = commitOf([{ rkey: 'a', text: 'before' }], { rev: revOf(1) });
      await storage.actors.write(person, (actor) => actor.applyCommit(first));
      const second = commitOf([{ rkey: 'a', text: 'after', was: 'before' }], { rev: revOf(2) });
      {
        await using snapshot = await storage.actors.snapshot(person);
        await storage.actors.write(person, (actor) => actor.applyCommit(second));
        await storage.actors.scrub(person);
        expect(await snapshot?.actor.root()).toEqual(first.root);
        const record = await snapshot?.actor.record(uriOf(person, 'a'));
        expect(record?.bytes).toEqual(blockOf('before')[1]);
        expect(await snapshot?.actor.block(second.root.cid)).toBeUndefined();
      }
      expect(await storage.actors.read(person, (actor) => actor.root())).toEqual(second.root);
    });
  });
}
