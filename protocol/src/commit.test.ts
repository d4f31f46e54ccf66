import { type LexMap, parseCid } from '@atproto/lex-data';
import {
  blocksToCarFile,
  type CommitData,
  MemoryBlockstore,
  Repo,
  WriteOpAction,
} from '@atproto/repo';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { zone } from '../generated/index.ts';
import { CommitClaim, type RepoHead, verifyCommit } from './commit.ts';
import { toCid, toDid, toTid } from './identifiers.ts';
import { encodeRecord } from './record.ts';
import { SigningKey } from './signing-key.ts';

const service = toDid('did:web:localhost%3A3100');
const did = toDid('did:plc:z72i7hdynmk6r22z27h6tvur');
const collection = zone.stratos.feed.post.$nsid;
const key = SigningKey.generate('P-256');
const signingKey = key.did();

type Write = {
  action: 'create' | 'update' | 'delete';
  rkey: string;
  text?: string;
  boundary?: LexMap;
};

/** A person's repo, and for each commit the frame that its node would send. */
class TestRepo {
  #repo: Repo;
  #head: RepoHead | undefined;
  readonly storage: MemoryBlockstore;
  readonly records = new Map<string, string>();

  private constructor(repo: Repo, storage: MemoryBlockstore) {
    this.#repo = repo;
    this.storage = storage;
  }

  static async create() {
    const storage = new MemoryBlockstore();
    const data = await Repo.formatInitCommit(storage, did, key);
    const repo = await Repo.createFromCommit(storage, data);
    const self = new TestRepo(repo, storage);
    return { self, frame: await self.#frame(data, []) };
  }

  get head(): RepoHead | undefined {
    return this.#head;
  }

  async commit(writes: Write[]) {
    const ops: Record<string, unknown>[] = [];
    const repoWrites = [];
    for (const { action, rkey, text, boundary = { values: [{ value: 'art' }] } } of writes) {
      const path = `${collection}/${rkey}`;
      const prev = this.records.get(rkey);
      const record = {
        $type: collection,
        text,
        boundary,
        createdAt: '2026-01-01T00:00:00Z',
      };
      const { cid } = await encodeRecord(record);
      if (action === 'delete') this.records.delete(rkey);
      else this.records.set(rkey, cid);
      ops.push({
        action,
        path,
        ...(action !== 'delete' && { cid: parseCid(cid) }),
        ...(prev && { prev: parseCid(prev) }),
      });
      repoWrites.push(
        action === 'delete'
          ? ({ action: WriteOpAction.Delete, collection, rkey } as const)
          : ({
              action: action === 'create' ? WriteOpAction.Create : WriteOpAction.Update,
              collection,
              rkey,
              record,
            } as const),
      );
    }
    const data = await this.#repo.formatCommit(repoWrites, key);
    this.#repo = await this.#repo.applyCommit(data);
    return this.#frame(data, ops);
  }

  async #frame(data: CommitData, ops: Record<string, unknown>[]) {
    const previous = this.#head;
    this.#head = { rev: toTid(data.rev), data: toCid(this.#repo.commit.data.toString()) };
    return {
      seq: 1,
      did,
      time: new Date().toISOString(),
      rev: data.rev,
      ...(previous && { since: previous.rev, prevData: parseCid(previous.data) }),
      commit: data.cid,
      blocks: await blocksToCarFile(data.cid, data.relevantBlocks),
      ops,
    };
  }
}

const options = (previous: RepoHead | undefined) => ({ service, signingKey, previous });

describe('verifyCommit', () => {
  it('follows any history of single and batched writes', async () => {
    const rkeys = [
      '3kaaaaaaaaa2a',
      '3kbbbbbbbbb2b',
      '3kccccccccc2c',
      '3kddddddddd2d',
      '3keeeeeeeee2e',
    ];
    const step = fc.array(
      fc.record({
        rkey: fc.constantFrom(...rkeys),
        text: fc.string({ maxLength: 10 }),
        remove: fc.boolean(),
      }),
      { minLength: 1, maxLength: 3 },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
        const { self, frame } = await TestRepo.create();
        let serial = 0;
        await expect(verifyCommit(frame, options(undefined))).resolves.toMatchObject({ ops: [] });
        for (const wanted of steps) {
          const writes = new Map<string, Write>();
          for (const { rkey, text, remove } of wanted) {
            const exists = self.records.has(rkey);
            if (remove && exists) writes.set(rkey, { action: 'delete', rkey });
            const unique = `${text} ${serial++}`;
            if (!remove)
              writes.set(rkey, { action: exists ? 'update' : 'create', rkey, text: unique });
          }
          if (writes.size === 0) continue;
          const before = self.head;
          const frame = await self.commit([...writes.values()]);
          const verified = await verifyCommit(frame, options(before));
          expect(verified).toMatchObject({ did, rev: self.head?.rev, data: self.head?.data });
          expect(verified.ops.map(({ action, rkey }) => ({ action, rkey }))).toEqual(
            [...writes.values()].map(({ action, rkey }) => ({ action, rkey })),
          );
          for (const op of verified.ops) {
            const text = writes.get(op.rkey)?.text;
            if (op.action === 'delete') expect(op.record).toBeUndefined();
            else
              expect(op.record).toMatchObject({ value: { text }, boundaries: [`${service}/art`] });
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  it('goes on past a record whose boundaries cannot be read, and gives it to nobody', async () => {
    const { self } = await TestRepo.create();
    const previous = self.head;
    const boundary = { values: [{ value: 'Not a boundary' }] };
    const flawed = { action: 'create', rkey: '3kaaaaaaaaa2a', text: 'one', boundary } as const;
    const sound = { action: 'create', rkey: '3kbbbbbbbbb2b', text: 'two' } as const;
    const { ops } = await verifyCommit(await self.commit([flawed, sound]), options(previous));
    expect(ops[0]).toMatchObject({ record: undefined, flaw: 'wrong-boundary' });
    expect(ops[1]).toMatchObject({ record: { value: { text: 'two' } } });
  });

  describe('refuses', () => {
    let previous: RepoHead | undefined;
    let frame: Awaited<ReturnType<TestRepo['commit']>>;
    const reason = (change: Record<string, unknown>, changedOptions = {}) =>
      verifyCommit({ ...frame, ...change }, { ...options(previous), ...changedOptions }).then(
        () => 'accepted',
        (error) => error.reason ?? String(error),
      );

    beforeAll(async () => {
      const { self } = await TestRepo.create();
      await self.commit([{ action: 'create', rkey: '3kaaaaaaaaa2a', text: 'one' }]);
      previous = self.head;
      frame = await self.commit([{ action: 'create', rkey: '3kbbbbbbbbb2b', text: 'two' }]);
    });

    it('nothing of the commit as it was made', async () => {
      expect(await reason({})).toBe('accepted');
    });
    it('a commit by another key', async () => {
      expect(await reason({}, { signingKey: SigningKey.generate('P-256').did() })).toBe(
        'bad-signature',
      );
    });
    it('a commit by another key, whichever was looked at before', async () => {
      const other = SigningKey.generate('P-256').did();
      for (const looked of [signingKey, other]) {
        const claim = await CommitClaim.read(frame, { service });
        await claim.vouch(looked);
        expect(() => claim.check({ signingKey: other, previous })).toThrow(
          expect.objectContaining({ reason: 'bad-signature' }),
        );
        expect(claim.check({ signingKey, previous })).toMatchObject({ did });
      }
    });
    it('a commit of another repo', async () => {
      expect(await reason({ did: 'did:plc:ewvi7nxzyoun6zhxrhs64oiz' })).toBe('wrong-actor');
    });
    it('a gap, a replay, a fork', async () => {
      const head = previous as RepoHead;
      expect(await reason({}, { previous: undefined })).toBe('not-continuous');
      expect(await reason({}, { previous: { ...head, rev: toTid('3jzfcijpj2z2a') } })).toBe(
        'not-continuous',
      );
      expect(
        await reason({}, { previous: { ...head, data: toCid(frame.commit.toString()) } }),
      ).toBe('not-continuous');
      const later = { ...head, rev: toTid('7zzzzzzzzzzzz') };
      expect(await reason({ since: later.rev }, { previous: later })).toBe('not-increasing');
    });
    it('a revision of the future', async () => {
      expect(await reason({}, { now: new Date(Date.now() - 10 * 60_000) })).toBe('in-the-future');
    });
    it('an operation left out, made up, or turned around', async () => {
      const [op] = frame.ops;
      expect(await reason({ ops: [] })).toBe('not-included');
      expect(await reason({ ops: [op, { ...op, path: `${collection}/3kccccccccc2c` }] })).toBe(
        'not-included',
      );
      expect(await reason({ ops: [{ ...op, prev: op?.['cid'] }] })).toBe('malformed');
      expect(await reason({ ops: [{ ...op, action: 'update', prev: op?.['cid'] }] })).toBe(
        'not-included',
      );
      expect(
        await reason({ ops: [{ action: 'delete', path: op?.['path'], prev: op?.['cid'] }] }),
      ).toBe('not-included');
      expect(await reason({ ops: [op, op] })).toBe('malformed');
    });
    it('a record that is not the one in the tree', async () => {
      const { cid } = await encodeRecord({ text: 'another' });
      expect(await reason({ ops: [{ ...frame.ops[0], cid: parseCid(cid) }] })).toBe('not-included');
    });
    it('a path that is no address of a record, though the tree has it', async () => {
      const { self } = await TestRepo.create();
      const before = self.head;
      const bad = await self.commit([{ action: 'create', rkey: '..', text: 'one' }]);
      await expect(verifyCommit(bad, options(before))).rejects.toMatchObject({
        reason: 'malformed',
      });
    });
    it('any changed byte of the CAR', async () => {
      for (let i = 0; i < frame.blocks.length; i += 7) {
        const blocks = frame.blocks.slice();
        blocks[i] = (blocks[i] ?? 0) ^ 0x10;
        expect(await reason({ blocks })).not.toBe('accepted');
      }
    });
  });
});
