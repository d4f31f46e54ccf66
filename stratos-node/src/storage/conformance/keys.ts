import { type DidKey, SigningKey } from '@stratos/protocol';
import { describe, expect, it } from 'vitest';
import { didOf } from './fixtures.ts';
import { type MakePlace, openedFor } from './opened.ts';

/** The node's keys, and how keys are encrypted. */
export function keySuite(makePlace: MakePlace): void {
  describe('keys', () => {
    const storage = openedFor(makePlace);
    const keyDid = (): DidKey => SigningKey.generate('secp256k1').did();
    const [validFrom, validUntil] = ['2026-01-01T00:00:00.000Z', '2026-02-01T00:00:00.000Z'];

    it('have one in use, and a history', async () => {
      const { nodeKeys } = storage.service;
      const [first, second] = [keyDid(), keyDid()];
      expect(await nodeKeys.current()).toBeUndefined();
      await nodeKeys.begin({ key: first, validFrom, membershipSeq: 1 }, new Uint8Array([1]));
      expect(await nodeKeys.current()).toBe(first);
      expect(await nodeKeys.sealed(first)).toEqual(new Uint8Array([1]));
      const sig = new Uint8Array([2]);
      await storage.service.transact(async (stores) => {
        expect(await stores.nodeKeys.hold(first)).toBe(true);
        await stores.nodeKeys.end(first, validUntil);
        await stores.nodeKeys.begin({ key: second, validFrom: validUntil, membershipSeq: 9, sig });
      });
      expect(await nodeKeys.hold(first)).toBe(false);
      expect(await nodeKeys.sealed(first)).toBeUndefined();
      expect(await nodeKeys.history()).toEqual([
        { key: first, validFrom, validUntil, membershipSeq: 1 },
        { key: second, validFrom: validUntil, membershipSeq: 9, sig },
      ]);
      await nodeKeys.setRepublishAfter(didOf('half'));
      expect(await nodeKeys.republishAfter()).toBe(didOf('half'));
      await nodeKeys.setRepublishAfter(undefined);
      expect(await nodeKeys.republishAfter()).toBeUndefined();
    });

    it('have a vault that is made once', async () => {
      const { vault } = storage.service;
      expect(await vault.get()).toBeUndefined();
      const row = { salt: new Uint8Array([1]), canary: new Uint8Array([2]) };
      await vault.create(row);
      await vault.create({ salt: new Uint8Array([3]), canary: new Uint8Array([4]) });
      expect(await vault.get()).toEqual(row);
      expect(await vault.sealedAt()).toBeUndefined();
      await vault.setSealedAt(validFrom);
      expect(await vault.sealedAt()).toBe(validFrom);
    });
  });
}
