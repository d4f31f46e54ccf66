const ALPHABET = '234567abcdefghijklmnopqrstuvwxyz';
const CLOCKS = 1024;

let last = 0;
let clock: number | undefined;

/** A record key that is later than those before it, see https://atproto.com/specs/tid. */
export function nextTid(): string {
  clock ??= Math.floor(Math.random() * CLOCKS);
  last = Math.max(Date.now() * 1000, last + 1);
  let rest = BigInt(last) * BigInt(CLOCKS) + BigInt(clock);
  let text = '';
  for (let i = 0; i < 13; i += 1) {
    text = ALPHABET[Number(rest % 32n)] + text;
    rest /= 32n;
  }
  return text;
}
