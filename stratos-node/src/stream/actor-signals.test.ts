import { expect, it, vi } from 'vitest';
import { silentLogger } from '../logger.ts';
import { postRecord, SWORDSMITH, TestNode, TestPerson } from '../testing/test-node.ts';
import { ActorSignals } from './actor-signals.ts';

const rei = TestPerson.named('rei');
const sakura = TestPerson.named('sakura');

it('wakes those who wait for the one who wrote, and nobody else', async () => {
  await using node = await TestNode.start({ people: [rei, sakura] });
  for (const person of [rei, sakura]) await node.enroll(person, [SWORDSMITH]);
  const { actorSignals } = node.ctx;
  using ofRei = actorSignals.watch(rei.did);
  using ofSakura = actorSignals.watch(sakura.did);
  // What came before it began to follow may be what somebody waits for.
  await vi.waitFor(() => expect([ofRei.version, ofSakura.version]).toEqual([1, 1]));
  const woken = ofRei.changedSince(1, { timeoutMs: 15_000, signal: new AbortController().signal });
  await node.createPost(rei, postRecord('hello'));
  await woken;
  expect([ofRei.version, ofSakura.version]).toEqual([2, 1]);
});

it('follows nothing when nobody waits', async () => {
  await using node = await TestNode.start({ people: [rei] });
  const { actorSignals } = node.ctx;
  const first = actorSignals.watch(rei.did);
  const second = actorSignals.watch(rei.did);
  first[Symbol.dispose]();
  expect(actorSignals.size).toBe(1);
  second[Symbol.dispose]();
  expect(actorSignals.size).toBe(0);
});

it('goes on after the log could not be read', async () => {
  await using node = await TestNode.start({ people: [rei] });
  await node.enroll(rei, [SWORDSMITH]);
  const { service, signal, stopping } = node.ctx;
  let failures = 1;
  const events = {
    head: () => service.events.head(),
    after: async (seq: number, limit: number) => {
      if (failures-- > 0) throw new Error('not now');
      return service.events.after(seq, limit);
    },
  };
  const actorSignals = new ActorSignals({ events, signal, stopping, logger: silentLogger });
  using watch = actorSignals.watch(rei.did);
  await vi.waitFor(() => expect(watch.version).toBe(2), { timeout: 10_000 });
  await node.createPost(rei, postRecord('hello'));
  await vi.waitFor(() => expect(watch.version).toBe(3), { timeout: 10_000 });
});
