import { describe, expect, it } from 'vitest';
import { AEKEA, SWORDSMITH } from '../../testing/test-node.ts';
import type { RepoCommit } from '../actor-storage.ts';
import { blockOf, commitOf, didOf, KEY, POST, revOf, uriOf } from './fixtures.ts';
import { type MakePlace, openedFor } from './opened.ts';

/** What a commit changes, and that it changes all of it or nothing. */
export function actorWriteSuite(makePlace: MakePlace): void {
  describe('take commits', () => {
    const storage = openedFor(makePlace);
    const apply = (did: ReturnType<typeof didOf>, commit: RepoCommit) =>
      storage.actors.write(did, (actor) => actor.applyCommit(commit));

    it('have its blocks, root, records and event', async () => {
      const did = didOf('commit');
      await storage.actors.create(did, KEY);
      const commit = commitOf(
        [
          { rkey: 'a', text: 'first', boundaries: [SWORDSMITH, AEKEA] },
          { rkey: 'b', text: 'second' },
        ],
        { rev: revOf(1) },
      );
      const seq = await apply(did, commit);
      await storage.actors.read(did, async (actor) => {
        expect(await actor.root()).toEqual(commit.root);
        expect(await actor.block(commit.root.cid)).toEqual([...commit.newBlocks][0]?.[1]);
        const [cid, bytes] = blockOf('first');
        const uri = uriOf(did, 'a');
        const rev = revOf(1);
        expect(await actor.record(uri)).toEqual({
          uri,
          cid,
          collection: POST,
          rkey: 'a',
          rev,
          bytes,
        });
        expect(await actor.standings([uri])).toEqual(
          new Map([[uri, { uri, cid, rev, boundaries: [AEKEA, SWORDSMITH], isTakenDown: false }]]),
        );
        expect(await actor.eventsAfter(0, 10)).toEqual(new Map([[seq, commit.event]]));
        expect(await actor.commitOf(rev)).toBe(commit.root.cid);
      });
    });

    it('replace and delete, content included', async () => {
      const did = didOf('replace');
      await storage.actors.create(did, KEY);
      await apply(did, commitOf([{ rkey: 'a', text: 'old' }], { rev: revOf(1) }));
      await apply(
        did,
        commitOf([{ rkey: 'a', text: 'new', was: 'old', boundaries: [AEKEA] }], { rev: revOf(2) }),
      );
      await storage.actors.read(did, async (actor) => {
        expect(await actor.block(blockOf('old')[0])).toBeUndefined();
        expect((await actor.record(uriOf(did, 'a')))?.bytes).toEqual(blockOf('new')[1]);
        expect((await actor.standings([uriOf(did, 'a')])).get(uriOf(did, 'a'))).toMatchObject({
          boundaries: [AEKEA],
          rev: revOf(2),
        });
      });
      await apply(did, commitOf([{ rkey: 'a', was: 'new' }], { rev: revOf(3) }));
      await storage.actors.read(did, async (actor) => {
        expect(await actor.record(uriOf(did, 'a'))).toBeUndefined();
        expect(await actor.standings([uriOf(did, 'a')])).toEqual(new Map());
        expect(await actor.block(blockOf('new')[0])).toBeUndefined();
        expect(await actor.collections()).toEqual([]);
      });
    });

    it('keep a block as long as a record has it', async () => {
      const did = didOf('shared');
      await storage.actors.create(did, KEY);
      const both = [
        { rkey: 'a', text: 'same' },
        { rkey: 'b', text: 'same' },
      ];
      await apply(did, commitOf(both, { rev: revOf(1) }));
      await apply(did, commitOf([{ rkey: 'a', was: 'same' }], { rev: revOf(2) }));
      const [cid, bytes] = blockOf('same');
      expect(await storage.actors.read(did, (actor) => actor.block(cid))).toEqual(bytes);
      await apply(did, commitOf([{ rkey: 'b', was: 'same' }], { rev: revOf(3) }));
      expect(await storage.actors.read(did, (actor) => actor.block(cid))).toBeUndefined();
    });

    it('move content from one record to another within one', async () => {
      const did = didOf('moved');
      await storage.actors.create(did, KEY);
      await apply(did, commitOf([{ rkey: 'a', text: 'wanders' }], { rev: revOf(1) }));
      const move = [
        { rkey: 'a', was: 'wanders' },
        { rkey: 'b', text: 'wanders' },
      ];
      await apply(did, commitOf(move, { rev: revOf(2) }));
      await storage.actors.read(did, async (actor) => {
        expect(await actor.record(uriOf(did, 'a'))).toBeUndefined();
        expect((await actor.record(uriOf(did, 'b')))?.bytes).toEqual(blockOf('wanders')[1]);
      });
    });

    it('hold a thousand changes', async () => {
      const did = didOf('many');
      await storage.actors.create(did, KEY);
      const changes = Array.from({ length: 1_000 }, (_, i) => ({
        rkey: `r${String(i).padStart(4, '0')}`,
        text: `record ${i}`,
      }));
      await apply(did, commitOf(changes, { rev: revOf(1) }));
      const page = { collection: POST, limit: 2_000, after: undefined, descending: false };
      const records = await storage.actors.read(did, (actor) =>
        actor.recordPage({ ...page, boundaries: undefined }),
      );
      expect(records?.map(({ rkey }) => rkey)).toEqual(changes.map(({ rkey }) => rkey));
      const removals = changes.map(({ rkey, text }) => ({ rkey, was: text }));
      await apply(did, commitOf(removals, { rev: revOf(2) }));
      expect(await storage.actors.read(did, (actor) => actor.collections())).toEqual([]);
    });

    it('leave nothing when what they are part of fails', async () => {
      const did = didOf('fails');
      await storage.actors.create(did, KEY);
      const first = commitOf([{ rkey: 'a', text: 'stays' }], { rev: revOf(1) });
      const seq = await apply(did, first);
      const doomed = commitOf([{ rkey: 'a', text: 'never', was: 'stays' }], { rev: revOf(2) });
      const failing = storage.actors.write(did, async (actor) => {
        await actor.applyCommit(doomed);
        expect(await actor.root()).toEqual(doomed.root);
        expect((await actor.record(uriOf(did, 'a')))?.bytes).toEqual(blockOf('never')[1]);
        throw new Error('after the commit');
      });
      await expect(failing).rejects.toThrow('after the commit');
      await storage.actors.read(did, async (actor) => {
        expect(await actor.root()).toEqual(first.root);
        expect((await actor.record(uriOf(did, 'a')))?.bytes).toEqual(blockOf('stays')[1]);
        expect(await actor.block(doomed.root.cid)).toBeUndefined();
        expect([...((await actor.eventsAfter(0, 10)) ?? []).keys()]).toEqual([seq]);
      });
    });

    it('take down a record and put it back', async () => {
      const did = didOf('taken');
      await storage.actors.create(did, KEY);
      await apply(did, commitOf([{ rkey: 'a', text: 'doubtful' }], { rev: revOf(1) }));
      const uri = uriOf(did, 'a');
      const record = await storage.actors.read(did, (actor) => actor.record(uri));
      await storage.actors.write(did, async (actor) => {
        await actor.applyCommit(commitOf([{ rkey: 'a', was: 'doubtful' }], { rev: revOf(2) }));
        if (record) await actor.putTakenDown(record, 'by the operator');
      });
      await storage.actors.read(did, async (actor) => {
        expect(await actor.record(uri)).toBeUndefined();
        expect(await actor.block(blockOf('doubtful')[0])).toBeUndefined();
        expect(await actor.takenDownRecord(uri)).toEqual(record);
        expect((await actor.standings([uri])).get(uri)?.isTakenDown).toBe(true);
        expect(await actor.collections()).toEqual([]);
      });
      await storage.actors.write(did, (actor) => actor.removeTakenDown([uri]));
      await storage.actors.read(did, async (actor) => {
        expect(await actor.takenDownRecord(uri)).toBeUndefined();
        expect(await actor.standings([uri])).toEqual(new Map());
      });
    });
  });
}
