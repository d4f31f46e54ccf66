import type { Client } from 'pg';

const WORDS = 4_900;
const SYLLABLES = [...'bdfgklmnprstvz']
  .flatMap((consonant) => [...'aeiou'].map((vowel) => consonant + vowel))
  .join('');

/**
 * Defines what is drawn by lot, by the seed and its arguments alone: `draft.draw(i, what)`, a number from
 * 0 to 1, and `draft.some_text(i)`, 5 to 30 words, most of them common ones.
 */
export async function defineDraw(client: Client, seed: number): Promise<void> {
  await client.query(`
    create function draft.draw(i bigint, what text) returns double precision
    language sql immutable parallel safe as $$
      select (hashtextextended(what, i * 1000003 + ${Math.trunc(seed)}) & 9007199254740991) / 9007199254740992.0
    $$;
    create function draft.some_text(i bigint) returns text
    language sql immutable parallel safe as $$
      select string_agg(
        substr('${SYLLABLES}', 1 + 2 * (word / 70), 2) || substr('${SYLLABLES}', 1 + 2 * (word % 70), 2), ' '
      )
      from generate_series(1, 5 + floor(25 * draft.draw(i, 'length'))::int) as n,
        lateral (select floor(${WORDS} * power(draft.draw(i * 64 + n, 'word'), 3))::int as word offset 0) as drawn
    $$`);
}
