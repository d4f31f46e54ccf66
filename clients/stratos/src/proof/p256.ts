import { type Bytes, bytesOf, joinBytes, numberOf } from './bytes.ts';

/** See https://doi.org/10.6028/NIST.SP.800-186, section 3.2.1.3. */
const P = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;
export const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/**
 * A point of 33 bytes as the 65 bytes that WebCrypto takes everywhere. Undefined where there is no such point.
 */
export function uncompressed(point: Bytes): Bytes | undefined {
  const x = numberOf(point.subarray(1));
  const squared = modulo(x ** 3n - 3n * x + B);
  const root = power(squared, (P + 1n) / 4n);
  const isOdd = point[0] === 3;
  if ((!isOdd && point[0] !== 2) || x >= P || modulo(root * root) !== squared) return undefined;
  const y = (root & 1n) === (isOdd ? 1n : 0n) ? root : P - root;
  return joinBytes(Uint8Array.of(4), point.slice(1), bytesOf(y, 32));
}

function modulo(number: bigint): bigint {
  const rest = number % P;
  return rest < 0n ? rest + P : rest;
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let [square, rest] = [base, exponent]; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = modulo(result * square);
    square = modulo(square * square);
  }
  return result;
}
