import { expect, it } from 'vitest';
import { runCrashes } from './crash-run.ts';
import { openStorage } from './storage.ts';

// Another seed each day, named when something fails, so that `npm run crash` can repeat it.
const seed = Math.floor(Date.now() / 86_400_000);

it.each([
  ['sqlite', 12],
  ['postgres', 8],
] as const)(
  'a node with %s that is killed %i times loses nothing, doubles nothing, and leaves nothing half done',
  async (backend, times) => {
    await using storage = await openStorage(backend);
    const { kills, acknowledged } = await runCrashes({ times, seed, storage: storage.env });
    expect(kills).toBeGreaterThanOrEqual(times);
    expect(acknowledged).toBeGreaterThan(0);
  },
  300_000,
);
