import { expect, it } from 'vitest';
import { TestPerson } from '../testing/test-node.ts';
import { LocalActorLocks, type LocksBetweenProcesses, SharedActorLocks } from './actor-locks.ts';

const { did } = TestPerson.named('rei');
const { did: other } = TestPerson.named('kaworu');

/** Locks between processes, of which this test is all. */
function sharedLocks(): LocksBetweenProcesses & { taken: Set<string> } {
  const taken = new Set<string>();
  return {
    taken,
    async lock(name) {
      if (taken.has(name)) return undefined;
      taken.add(name);
      return {
        [Symbol.asyncDispose]: async () => {
          taken.delete(name);
        },
      };
    },
  };
}

it('runs one task of a person at a time, in order, whether they fail or not', async () => {
  const locks = new LocalActorLocks();
  const done: number[] = [];
  const tasks = [3, 1, 2].map((ms, index) =>
    locks.run(did, async () => {
      await new Promise((resolve) => setTimeout(resolve, ms));
      done.push(index);
      if (index === 1) throw new Error('on purpose');
    }),
  );
  await locks.run(other, async () => done.push(99));
  expect(done).toEqual([99]);
  await Promise.allSettled(tasks);
  expect(done).toEqual([99, 0, 1, 2]);
  await locks.idle();
});

it('takes the lock between processes for a task, and gives it back when it fails', async () => {
  const shared = sharedLocks();
  const locks = new SharedActorLocks(shared);
  const sizes = await Promise.all([1, 2].map(() => locks.run(did, async () => shared.taken.size)));
  expect(sizes).toEqual([1, 1]);
  const failing = locks.run(did, async () => {
    throw new Error('on purpose');
  });
  await expect(failing).rejects.toThrow('on purpose');
  expect(shared.taken.size).toBe(0);
});

it('says that it is busy when another process does not let go, or cannot be asked about', async () => {
  const shared = sharedLocks();
  await shared.lock(`actor:${did}`, 0);
  let hasRun = false;
  const task = async () => {
    hasRun = true;
  };
  const busy = { code: 'ServiceUnavailable', headers: { 'Retry-After': '1' } };
  await expect(new SharedActorLocks(shared).run(did, task)).rejects.toMatchObject(busy);
  const away = { lock: () => Promise.reject(new Error('away')) };
  await expect(new SharedActorLocks(away).run(did, task)).rejects.toMatchObject(busy);
  expect(hasRun).toBe(false);
});
