import { type Did, decodeCanonicalMap, recordBoundaries, toDid } from '@stratos/protocol';
import type { Database } from 'better-sqlite3';

/** Says under which boundaries records are to be listed. */
export class NamedBoundaries {
  readonly #node: Did;
  readonly #listed;

  constructor(actor: Database, node: Did) {
    this.#node = node;
    this.#listed = actor
      .prepare<[string], string>(
        'SELECT boundary FROM stratos_record_boundary WHERE uri = ? ORDER BY boundary',
      )
      .pluck();
  }

  /** Whether a record is listed under the boundaries that it names, and under no others. */
  areListed(uri: string, bytes: Uint8Array): boolean {
    return this.#listed.all(uri).join(' ') === this.#of(bytes).join(' ');
  }

  /** None for a record that cannot be read, which leaves it to its owner. */
  #of(bytes: Uint8Array): string[] {
    try {
      return recordBoundaries(decodeCanonicalMap(bytes), this.#node);
    } catch {
      return [];
    }
  }
}

/** The node whose data it is; undefined if nobody ever enrolled. */
export function nodeOf(service: Database): Did | undefined {
  const entry = service
    .prepare<[], Uint8Array>('SELECT entry FROM membership_log ORDER BY seq LIMIT 1')
    .pluck()
    .get();
  try {
    return entry && toDid(decodeCanonicalMap(entry)['service']);
  } catch {
    return undefined;
  }
}
