import type { Tid } from './identifiers.ts';

const ALPHABET = '234567abcdefghijklmnopqrstuvwxyz';

/** The time that a TID carries, see https://atproto.com/specs/tid. */
export function tidTime(tid: Tid): Date {
  let microseconds = 0;
  for (const char of tid.slice(0, 11)) microseconds = microseconds * 32 + ALPHABET.indexOf(char);
  return new Date(microseconds / 1000);
}
