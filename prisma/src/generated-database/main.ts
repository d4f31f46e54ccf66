import { parseArgs } from 'node:util';
import { Presets, SingleBar } from 'cli-progress';
import { generateDatabase } from './generate.ts';
import { MILLION } from './options.ts';

const USAGE = `usage: npm run generate:appview -- --database <url>
  [--posts ${MILLION.posts}] [--boundaries ${MILLION.boundaries}]
  [--memberships ${MILLION.memberships}] [--seed ${MILLION.seed}]`;

const { values } = parseArgs({
  options: {
    database: { type: 'string' },
    posts: { type: 'string', default: String(MILLION.posts) },
    boundaries: { type: 'string', default: String(MILLION.boundaries) },
    memberships: { type: 'string', default: String(MILLION.memberships) },
    seed: { type: 'string', default: String(MILLION.seed) },
  },
});
const [posts, boundaries, memberships, seed] = [
  Number(values.posts),
  Number(values.boundaries),
  Number(values.memberships),
  Number(values.seed),
] as const;
if (!values.database || ![posts, boundaries, memberships, seed].every(Number.isSafeInteger)) {
  console.error(USAGE);
  process.exit(1);
}

const start = performance.now();
const bar = process.stderr.isTTY
  ? new SingleBar(
      {
        format: 'posts {bar} {percentage}% {value}/{total}, {eta_formatted} left',
        stream: process.stderr,
      },
      Presets.shades_classic,
    )
  : undefined;
bar?.start(posts, 0);
await generateDatabase(values.database, {
  posts,
  boundaries,
  memberships,
  seed,
  onPosts: (count) => bar?.increment(count),
});
bar?.stop();
console.log(`${posts} posts in ${((performance.now() - start) / 1_000).toFixed(0)} s`);
