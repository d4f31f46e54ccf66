import type { PrismaClient } from '@stratos/prisma';

/** What says when and by whom rows were written, and not what is true. */
const INCIDENTAL = /(^id|_at|_until|^follow\w*|^last_checked|^newest_seq|^handle_failures)$/;
const KEPT = /^(created_at|sort_at|issued_at|enrolled_at)$/;
/** What is only news, work in hand, or the indexers' own. */
const PASSING = ['stratos_change', 'stratos_hold', 'stratos_follower', '_prisma_migrations'];

/** Every row of the AppView database, by table, without what is incidental. */
export async function snapshot(db: PrismaClient): Promise<Map<string, string[]>> {
  const columns = await db.$queryRaw<{ table: string; name: string }[]>`
    select table_name as table, column_name as name from information_schema.columns
    where table_schema = 'public' and table_name <> all(${PASSING}::text[])
    order by table_name, ordinal_position`;
  const tables = Map.groupBy(columns, ({ table }) => table);
  const rows = new Map<string, string[]>();
  for (const [table, of] of tables) {
    const names = of
      .map(({ name }) => name)
      .filter((name) => KEPT.test(name) || !INCIDENTAL.test(name));
    const list = names.map((name) => `"${name}"`).join(', ');
    const found = await db.$queryRawUnsafe<{ row: string }[]>(
      `select row_to_json(r)::text as row from (select ${list} from "${table}") as r order by 1`,
    );
    rows.set(
      table,
      found.map(({ row }) => row),
    );
  }
  return rows;
}

/** How two snapshots differ, in lines. */
export function difference(
  before: ReadonlyMap<string, string[]>,
  after: ReadonlyMap<string, string[]>,
): string[] {
  const lines: string[] = [];
  for (const table of new Set([...before.keys(), ...after.keys()])) {
    const [left, right] = [new Set(before.get(table)), new Set(after.get(table))];
    for (const row of left.difference(right)) lines.push(`- ${table} ${row}`);
    for (const row of right.difference(left)) lines.push(`+ ${table} ${row}`);
    if (before.get(table)?.length !== after.get(table)?.length) lines.push(`count of ${table}`);
  }
  return lines;
}
