import type { EventSource } from './event-source.ts';
import type { GraphqlSubscription } from './graphql-subscription.ts';

/** What is written around each result. */
export interface Framing {
  before: (cursor: string) => string;
  after: string;
}

/** Sends what a subscription is told, until that is over or nobody is there. */
export async function sendEvents(
  subscription: GraphqlSubscription,
  source: EventSource,
  { before, after }: Framing,
): Promise<void> {
  const { stream } = subscription;
  const end = Buffer.from(after);
  for (let handed = await stream.take(); handed; handed = await stream.take()) {
    const parts: Buffer[] = [];
    for (const one of handed) {
      const written = subscription.write(one);
      const result = written instanceof Promise ? await written : written;
      parts.push(Buffer.from(before(one.cursor)), result, end);
    }
    await source.send(parts);
  }
}
