import type { Room } from './arrivals.ts';
import { READ_AHEAD } from './node-stream.ts';

/** What is read of all nodes together before their turn, and of each however many there are. */
const ALL_BYTES = 256 * 1024 * 1024;
const LEAST_BYTES = 256 * 1024;

/** What may be read of each of the nodes before its turn, by how many they are at the moment. */
export function readAheadRoom(nodes: { readonly size: number }): Room {
  return {
    count: READ_AHEAD.count,
    get bytes() {
      return Math.min(READ_AHEAD.bytes, Math.max(ALL_BYTES / nodes.size, LEAST_BYTES));
    },
  };
}
