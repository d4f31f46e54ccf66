import type { NodeSavedSession, NodeSavedState } from '@atproto/oauth-client-node';
import { describe, expect, it } from 'vitest';
import { type MakePlace, openedFor } from './opened.ts';

/** Sessions with PDSes, and tokens that were used. */
export function sessionSuite(makePlace: MakePlace): void {
  describe('sessions and tokens', () => {
    const storage = openedFor(makePlace);
    const state = { iss: 'https://pds.example.com' } as unknown as NodeSavedState;
    const session = (n: number) => ({ tokenSet: { n } }) as unknown as NodeSavedSession;

    it('remember flows until they are over', async () => {
      const { oauth } = storage.service;
      expect(await oauth.state('a')).toBeUndefined();
      await oauth.putState('a', state);
      await oauth.putState('a', state);
      expect(await oauth.state('a')).toEqual(state);
      await oauth.deleteState('a');
      expect(await oauth.state('a')).toBeUndefined();
    });

    it('remember sessions, replaced only by whoever read the last', async () => {
      const { oauth } = storage.service;
      await oauth.putSession('s', session(1));
      const first = await oauth.sessionOf('s');
      expect(first).toEqual({ session: session(1), createdAt: expect.any(String) });
      await oauth.putSession('s', session(2));
      expect((await oauth.sessionOf('s'))?.createdAt).toBe(first?.createdAt);
      expect(await oauth.replaceSession('s', session(1), session(3))).toBe(false);
      expect(await oauth.replaceSession('s', session(2), session(3))).toBe(true);
      expect(await oauth.session('s')).toEqual(session(3));
      await oauth.deleteSession('s', 'another time');
      expect(await oauth.session('s')).toBeDefined();
      await oauth.deleteSession('s', first?.createdAt);
      expect(await oauth.session('s')).toBeUndefined();
      await oauth.putSession('s', session(4));
      await oauth.deleteSession('s');
      expect(await oauth.sessionOf('s')).toBeUndefined();
    });

    it('let a token be used once, however many try', async () => {
      const { replay } = storage.service;
      const soon = new Date(Date.now() + 60_000);
      const claims = await Promise.all(
        Array.from({ length: 20 }, () => replay.claim('same', soon)),
      );
      expect(claims.filter(Boolean)).toHaveLength(1);
      expect(await replay.claim('another', soon)).toBe(true);
    });
  });
}
