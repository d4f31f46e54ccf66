import { createHash } from 'node:crypto';

/** The 64 bits by which Postgres knows a lock of ours, as a decimal number. */
export function advisoryKey(name: string): string {
  return createHash('sha256').update(`stratos:${name}`).digest().readBigInt64BE().toString();
}
