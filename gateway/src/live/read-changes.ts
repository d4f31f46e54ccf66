import { changesAfter, type ReaderChange, type Transaction } from '@stratos/prisma/queries';

/** Changes that one query brings at most. */
const AT_ONCE = 1_000;

/** All changes after a position that are kept; undefined when they are more than `limit`. */
export async function readChanges(
  transaction: Transaction,
  { after, limit }: { after: bigint; limit: number },
): Promise<ReaderChange[] | undefined> {
  const changes: ReaderChange[] = [];
  for (let seq = after; ; seq = changes.at(-1)?.seq ?? after) {
    const some = await numbered(changesAfter(transaction, { seq, limit: AT_ONCE }));
    changes.push(...some);
    if (changes.length > limit) return undefined;
    if (some.length < AT_ONCE) break;
  }
  return changes;
}

/** The number of the oldest change that is kept; undefined when none is. */
export async function oldestChange(transaction: Transaction): Promise<bigint | undefined> {
  const [oldest] = await numbered(changesAfter(transaction, { seq: 0n, limit: 1 }));
  return oldest?.seq;
}

/** The number of the newest change that is kept, 0 when none is: found by halving what may be. */
export async function newestChange(transaction: Transaction): Promise<bigint> {
  let [newest, beyond] = [0n, 2n ** 62n];
  while (newest < beyond) {
    const seq = (newest + beyond) / 2n;
    const [next] = await numbered(changesAfter(transaction, { seq, limit: 1 }));
    if (next) newest = next.seq;
    else beyond = seq;
  }
  return newest;
}

/** With their numbers as such: a connection brings them as text. */
async function numbered(reading: Promise<ReaderChange[]>): Promise<ReaderChange[]> {
  const changes = await reading;
  return changes.map(({ seq, ...rest }) => ({ ...rest, seq: BigInt(seq) }));
}
