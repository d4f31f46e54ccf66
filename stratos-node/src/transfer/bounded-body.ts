import type { Readable } from 'node:stream';
import { NodeError } from '../node-error.ts';

/**
 * The chunks of a body of at most `maxBytes`, which stays open when it is not read to its end, so
 * that there can be an answer.
 */
export async function* boundedBody(body: Readable, maxBytes: number): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  const chunks = body.iterator({ destroyOnReturn: false });
  for (;;) {
    const { value, done } = await chunks.next().catch((cause: unknown) => {
      throw new NodeError('InvalidRequest', 'The body could not be read', { cause });
    });
    if (done) return;
    bytes += value.length;
    if (bytes > maxBytes) throw new NodeError('PayloadTooLarge', 'The CAR is too large');
    yield value;
  }
}
