import { SigningKey } from '@stratos/protocol';
import { describe, expect, it } from 'vitest';
import { didOf } from './fixtures.ts';
import { type MakePlace, openedFor } from './opened.ts';

/** Jobs that wait for people's PDSes. */
export function outboxSuite(makePlace: MakePlace): void {
  describe('the outbox', () => {
    const storage = openedFor(makePlace);
    const nobody = { people: [], pdses: [] };

    it('has each person’s jobs in order', async () => {
      const { outbox, enrollments } = storage.service;
      const [one, two] = [didOf('one'), didOf('two')];
      const pdsEndpoint = 'https://pds.example.com';
      await enrollments.put({
        did: two,
        enrolledAt: '2026-01-01T00:00:00.000Z',
        pdsEndpoint,
        signingKey: SigningKey.generate('P-256').did(),
        active: true,
        boundaries: [],
        enrollmentRkey: 'x',
      });
      const sign = { kind: 'sign-out' as const, asOf: 'now' };
      await outbox.add(one, { kind: 'enrollment' });
      await outbox.add(one, sign);
      await outbox.add(two, { kind: 'enrollment' });
      expect(await outbox.count(one)).toBe(2);
      const first = await outbox.head(one);
      expect(first).toMatchObject({ did: one, job: { kind: 'enrollment' }, attempts: 0 });
      expect(first).toMatchObject({ parkedReason: null, pdsEndpoint: '' });
      const heads = await outbox.heads(10, nobody);
      expect(heads.map(({ did }) => did).sort()).toEqual([one, two].sort());
      expect(heads.find(({ did }) => did === two)?.pdsEndpoint).toBe(pdsEndpoint);
      expect(await outbox.heads(10, { ...nobody, people: [one] })).toMatchObject([{ did: two }]);
      expect(await outbox.heads(10, { ...nobody, pdses: [pdsEndpoint] })).toMatchObject([
        { did: one },
      ]);
      expect(await outbox.heads(1, nobody)).toHaveLength(1);
      await outbox.retry(first?.id ?? 0, 3, 4_999_999_999_999.5);
      expect(await outbox.head(one)).toMatchObject({ attempts: 3, dueAt: 5_000_000_000_000 });
      expect((await outbox.heads(10, nobody)).map(({ did }) => did)).toEqual([two, one]);
      expect((await outbox.done({ did: one, id: first?.id ?? 0 }))?.job).toEqual(sign);
      expect((await outbox.head(one))?.job).toEqual(sign);
      for (const did of [one, two]) {
        for (let head = await outbox.head(did); head; head = await outbox.done(head));
      }
      expect(await outbox.summary()).toEqual({
        waiting: 0,
        parked: 0,
        oldest: undefined,
        dueSince: undefined,
      });
    });

    it('parks jobs, and takes them up again', async () => {
      const { outbox } = storage.service;
      const [stuck, other, free] = [didOf('stuck'), didOf('other'), didOf('free')];
      for (const did of [stuck, stuck, other, free]) await outbox.add(did, { kind: 'enrollment' });
      for (const did of [stuck, other]) {
        await outbox.park((await outbox.head(did))?.id ?? 0, 'no session');
      }
      expect((await outbox.heads(10, nobody)).map(({ did }) => did)).toEqual([free]);
      const list = { did: undefined, parkedOnly: false, after: 0, limit: 10 };
      const all = await outbox.list(list);
      expect(all.map(({ did }) => did)).toEqual([stuck, stuck, other, free]);
      expect(await outbox.list({ ...list, did: stuck, parkedOnly: true })).toEqual([all[0]]);
      expect(await outbox.list({ ...list, after: all[1]?.id ?? 0, limit: 1 })).toEqual([all[2]]);
      const summary = await outbox.summary();
      expect(summary).toMatchObject({ waiting: 4, parked: 3, oldest: expect.any(String) });
      expect(summary.dueSince).toEqual(expect.any(Number));
      expect(await outbox.requeue(stuck)).toBe(1);
      expect(await outbox.requeue(undefined)).toBe(1);
      expect(await outbox.requeue(undefined)).toBe(0);
      await outbox.park((await outbox.head(stuck))?.id ?? 0, 'no session');
      await outbox.unpark(stuck);
      expect(await outbox.head(stuck)).toMatchObject({ parkedReason: null, attempts: 0 });
    });

    it('is claimed a person at a time', async () => {
      const { outbox } = storage.service;
      {
        await using claim = await outbox.claim(didOf('one'));
        expect(claim).toBeDefined();
        await using another = await outbox.claim(didOf('two'));
        expect(another).toBeDefined();
      }
      await using again = await outbox.claim(didOf('one'));
      expect(again).toBeDefined();
    });
  });
}
