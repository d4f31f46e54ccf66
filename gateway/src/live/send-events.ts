import type { EventSource } from './event-source.ts';
import type { Handed, PostStream } from './post-stream.ts';

/** A stream, and how what it is told is written down. */
export interface Subscription {
  readonly stream: PostStream;
  /** Undefined for what is not said in an event. */
  write(handed: Handed): Buffer | undefined | Promise<Buffer>;
}

/** What is written around each event. */
export interface Framing {
  before: (cursor: string) => string;
  after: string;
}

/** Sends what a subscription is told, until that is over or nobody is there. */
export async function sendEvents(
  subscription: Subscription,
  source: EventSource,
  framing: Framing,
): Promise<void> {
  while (await sendNext(subscription, source, framing));
}

/** In a call of its own, so that nothing of what was sent is kept while nothing happens. */
async function sendNext(
  subscription: Subscription,
  source: EventSource,
  { before, after }: Framing,
): Promise<boolean> {
  const handed = await subscription.stream.take();
  if (!handed) return false;
  const parts: Buffer[] = [];
  for (const one of handed) {
    const writing = subscription.write(one);
    const written = writing instanceof Promise ? await writing : writing;
    if (written) parts.push(Buffer.from(before(one.cursor)), written, Buffer.from(after));
  }
  await source.send(parts);
  return true;
}
