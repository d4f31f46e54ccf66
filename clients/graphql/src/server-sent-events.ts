import { createParser } from 'eventsource-parser';

export interface ServerSentEvent {
  id?: string | undefined;
  event?: string | undefined;
  data: string;
}

/** Milliseconds after which nobody is there any more: there is a sign of life every 15 seconds. */
const SILENCE_MS = 45_000;

/**
 * The events of an answer as they come, until it ends or falls silent. Whoever stops reading ends the request.
 */
export async function* serverSentEvents(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<ServerSentEvent, void> {
  const ready: ServerSentEvent[] = [];
  const parser = createParser({ onEvent: (event) => ready.push(event) });
  const decoder = new TextDecoder();
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await readOrCancel(reader);
      if (done) return;
      parser.feed(decoder.decode(value, { stream: true }));
      yield* ready.splice(0);
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

function readOrCancel(reader: ReadableStreamDefaultReader<Uint8Array>) {
  const silence = setTimeout(() => reader.cancel().catch(() => {}), SILENCE_MS);
  return reader.read().finally(() => clearTimeout(silence));
}
