import { SigningKey } from '@stratos/protocol';
import { describe, expect, it } from 'vitest';
import { AEKEA, SWORDSMITH } from '../../testing/test-node.ts';
import type { Enrollment } from '../service-storage.ts';
import { didOf } from './fixtures.ts';
import { type MakePlace, openedFor } from './opened.ts';

/** Who is enrolled, and what operators did. */
export function enrollmentSuite(makePlace: MakePlace): void {
  describe('enrollments', () => {
    const storage = openedFor(makePlace);
    const signingKey = SigningKey.generate('P-256').did();

    function personNamed(name: string): Enrollment & { enrollmentRkey: string } {
      return {
        did: didOf(name),
        enrolledAt: '2026-01-01T00:00:00.000Z',
        pdsEndpoint: 'https://pds.example.com',
        signingKey,
        active: true,
        boundaries: [AEKEA, SWORDSMITH],
        enrollmentRkey: 'rkey',
      };
    }

    it('are found, changed, and left', async () => {
      const { enrollments } = storage.service;
      const { enrollmentRkey, ...person } = personNamed('member');
      expect(await enrollments.get(person.did)).toBeUndefined();
      await enrollments.put({ ...person, enrollmentRkey });
      expect(await enrollments.get(person.did)).toEqual(person);
      await enrollments.setBoundaries(person.did, [AEKEA]);
      expect((await enrollments.get(person.did))?.boundaries).toEqual([AEKEA]);
      await enrollments.setBoundaries(person.did, []);
      expect((await enrollments.get(person.did))?.boundaries).toEqual([]);
      await enrollments.put({ ...person, pdsEndpoint: undefined, enrollmentRkey });
      expect(await enrollments.get(person.did)).toEqual({ ...person, pdsEndpoint: undefined });
      await enrollments.deactivate(person.did);
      expect(await enrollments.get(person.did)).toMatchObject({ active: false, boundaries: [] });
    });

    it('are listed by DID, and counted', async () => {
      const { enrollments } = storage.service;
      const names = ['x-a', 'x-b', 'x-c', 'x.a', 'x0'];
      const before = await enrollments.count();
      const active = await enrollments.countActive();
      for (const name of names) await enrollments.put(personNamed(name));
      await enrollments.deactivate(didOf('x-b'));
      const all = await enrollments.after('did:web:x', 100);
      expect(all.map(({ did }) => did)).toEqual(names.map(didOf).toSorted());
      expect(all.find(({ did }) => did === didOf('x0'))?.boundaries).toEqual([AEKEA, SWORDSMITH]);
      const [first] = all;
      expect(await enrollments.after(first?.did ?? '', 2)).toEqual(all.slice(1, 3));
      expect(await enrollments.after('did:zzz', 10)).toEqual([]);
      const count = { enrolled: before.enrolled + 4, left: before.left + 1 };
      expect(await enrollments.count()).toEqual(count);
      expect(await enrollments.countActive()).toBe(active + 4);
      const standings = await enrollments.standings([didOf('x-a'), didOf('x-b'), didOf('who')]);
      expect([...standings]).toEqual(
        expect.arrayContaining([
          [didOf('x-a'), { active: true, isTakenDown: false }],
          [didOf('x-b'), { active: false, isTakenDown: false }],
        ]),
      );
      expect(standings.size).toBe(2);
      expect(await enrollments.standings([])).toEqual(new Map());
    });

    it('stay as they were when the transaction that changes them fails', async () => {
      const person = personNamed('undecided');
      const failing = storage.service.transact(async (stores) => {
        await stores.enrollments.put(person);
        expect(await stores.enrollments.get(person.did)).toBeDefined();
        await stores.audit.append({ address: '::1', action: 'x', outcome: 'done' });
        throw new Error('changed our mind');
      });
      await expect(failing).rejects.toThrow('changed our mind');
      expect(await storage.service.enrollments.get(person.did)).toBeUndefined();
    });

    it('are changed one transaction at a time', async () => {
      const person = personNamed('contended');
      await storage.service.enrollments.put({ ...person, boundaries: [] });
      const add = (boundary: typeof AEKEA) =>
        storage.service.transact(async ({ enrollments }) => {
          const known = await enrollments.get(person.did);
          await new Promise((resolve) => setTimeout(resolve, 5));
          await enrollments.setBoundaries(person.did, [...(known?.boundaries ?? []), boundary]);
        });
      await Promise.all([add(AEKEA), add(SWORDSMITH)]);
      const { boundaries } = (await storage.service.enrollments.get(person.did)) ?? {};
      expect(boundaries).toEqual([AEKEA, SWORDSMITH]);
    });

    it('are audited, newest first', async () => {
      const { audit } = storage.service;
      await audit.append({ address: '::1', action: 'first', outcome: 'refused' });
      const second = { address: '::1', action: 'second', did: didOf('x'), detail: 'd' };
      await audit.append({ ...second, outcome: 'done' });
      const [newest, next] = await audit.newest(2);
      expect(newest).toEqual({ ...second, outcome: 'done', time: expect.any(String) });
      expect(next).toMatchObject({ action: 'first', outcome: 'refused' });
      expect(next).not.toHaveProperty('did');
    });
  });
}
