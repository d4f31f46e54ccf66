import { expect, it } from 'vitest';
import { NodeError } from '../node-error.ts';
import { TestPerson } from '../testing/test-node.ts';
import { WriteRateLimit } from './write-rate-limit.ts';

const { did } = TestPerson.named('rei');
const other = TestPerson.named('sakura').did;

it('counts in a sliding window, each person alone, and cools down', async () => {
  let now = 1_000_000;
  const limit = new WriteRateLimit(
    { maxWrites: 3, windowMs: 60_000, cooldownMs: 10_000, cooldownJitterMs: 0 },
    () => now,
  );
  for (let i = 0; i < 3; i += 1) {
    await limit.take(did);
    now += 1_000;
  }
  await expect(limit.take(did)).rejects.toThrow(NodeError);
  await limit.take(other);
  now += 9_999;
  await expect(limit.take(did)).rejects.toThrow(NodeError);
  now += 60_000;
  await limit.take(did);
});
