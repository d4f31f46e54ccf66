import { describe, expect, it } from 'vitest';
import { UnknownActorError } from '../actor-storage.ts';
import { blockOf, commitOf, didOf, KEY, revOf, uriOf } from './fixtures.ts';
import { type MakePlace, openedFor } from './opened.ts';

/** How stores of actors come, stay and go. */
export function actorLifeSuite(makePlace: MakePlace): void {
  describe('come, stay and go', () => {
    const storage = openedFor(makePlace);

    it('knows nothing of an actor without a store', async () => {
      const did = didOf('nobody');
      expect(await storage.actors.read(did, async () => 'read')).toBeUndefined();
      expect(await storage.actors.snapshot(did)).toBeUndefined();
      await expect(storage.actors.write(did, async () => 'written')).rejects.toThrow(
        UnknownActorError,
      );
      await storage.actors.create(did, KEY);
      expect(await storage.actors.read(did, async () => 'read')).toBe('read');
    });

    it('keeps the first key, unless it is replaced', async () => {
      const did = didOf('key');
      const other = new Uint8Array(32).fill(9);
      await storage.actors.create(did, KEY);
      await storage.actors.create(did, other);
      expect(await storage.actors.read(did, (actor) => actor.signingKey())).toEqual(KEY);
      await storage.actors.write(did, (actor) => actor.putSigningKey(other));
      expect(await storage.actors.read(did, (actor) => actor.signingKey())).toEqual(KEY);
      await storage.actors.write(did, (actor) => actor.replaceSigningKey(other));
      expect(await storage.actors.read(did, (actor) => actor.signingKey())).toEqual(other);
    });

    it('makes a store once, however many ask', async () => {
      const did = didOf('crowd');
      await Promise.all(Array.from({ length: 8 }, () => storage.actors.create(did, KEY)));
      expect(await storage.actors.read(did, (actor) => actor.signingKey())).toEqual(KEY);
    });

    it('keeps actors apart', async () => {
      const [one, two] = [didOf('one'), didOf('two')];
      await storage.actors.create(one, KEY);
      await storage.actors.create(two, KEY);
      const commit = commitOf([{ rkey: 'a', text: 'mine' }], { rev: revOf(1) });
      await storage.actors.write(one, (actor) => actor.applyCommit(commit));
      expect(await storage.actors.read(two, (actor) => actor.root())).toBeUndefined();
      expect(await storage.actors.read(two, (actor) => actor.blockCids())).toEqual([]);
      expect(await storage.actors.read(two, (actor) => actor.block(blockOf('mine')[0]))).toBe(
        undefined,
      );
    });

    it('leaves nothing of an actor that is destroyed, who may come again', async () => {
      const did = didOf('gone');
      await storage.actors.create(did, KEY);
      const commit = commitOf([{ rkey: 'a', text: 'secret' }], { rev: revOf(1) });
      await storage.actors.write(did, (actor) => actor.applyCommit(commit));
      await storage.actors.read(did, (actor) => actor.block(commit.root.cid));
      await storage.actors.destroy(did);
      expect(await storage.actors.read(did, async () => 'read')).toBeUndefined();
      await storage.actors.destroy(did);
      await storage.actors.create(did, KEY);
      const left = await storage.actors.read(did, async (actor) => ({
        root: await actor.root(),
        blocks: await actor.blockCids(),
        block: await actor.block(commit.root.cid),
        record: await actor.record(uriOf(did, 'a')),
      }));
      expect(left).toEqual({ root: undefined, blocks: [], block: undefined, record: undefined });
    });

    it('do not let an export keep a store from going', async () => {
      const did = didOf('exported');
      await storage.actors.create(did, KEY);
      await using snapshot = await storage.actors.snapshot(did);
      expect(snapshot).toBeDefined();
      await storage.actors.destroy(did);
      expect(await storage.actors.snapshot(did)).toBeUndefined();
    });

    it('can be scrubbed whether there is something to scrub or not', async () => {
      const did = didOf('scrub');
      await storage.actors.create(did, KEY);
      await storage.actors.scrub(did);
      const first = commitOf([{ rkey: 'a', text: 'out' }], { rev: revOf(1) });
      await storage.actors.write(did, (actor) => actor.applyCommit(first));
      const second = commitOf([{ rkey: 'a', was: 'out' }], { rev: revOf(2) });
      await storage.actors.write(did, (actor) => actor.applyCommit(second));
      await storage.actors.scrub(did);
      expect(await storage.actors.read(did, (actor) => actor.root())).toEqual(second.root);
    });
  });

  it('keeps everything when it is opened again', async () => {
    await using place = await makePlace();
    const did = didOf('stays');
    const commit = commitOf([{ rkey: 'a', text: 'kept' }], { rev: revOf(1) });
    {
      await using storage = await place.open();
      await storage.actors.create(did, KEY);
      await storage.actors.write(did, (actor) => actor.applyCommit(commit));
      await storage.service.events.append({ did, kind: 'commit', ref: 1, time: 'now' });
    }
    await using storage = await place.open();
    expect(await storage.actors.read(did, (actor) => actor.root())).toEqual(commit.root);
    expect(await storage.service.events.after(0, 10)).toMatchObject([{ did, ref: 1 }]);
  });
}
