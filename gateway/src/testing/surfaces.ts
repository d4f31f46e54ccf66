import { overGraphql } from './over-graphql.ts';
import { overTrpc } from './over-trpc.ts';
import { overXrpc } from './over-xrpc.ts';
import type { FeedArguments, Question, SeenPage, SeenPost } from './questions.ts';
import type { Answer } from './send.ts';

export { graphql } from './over-graphql.ts';
export { trpc } from './over-trpc.ts';
export { xrpc } from './over-xrpc.ts';
export { type Answer, send } from './send.ts';

/** One of the doors to the operations. */
export interface Door {
  name: string;
  /** The whole answer to a question. */
  ask(gateway: string, token: string | undefined, question: Question): Promise<Answer>;
  /** What an answer says; null when that is that there is nothing. Throws the answer if it is an error. */
  read(question: Question, answer: Answer): unknown;
}

/** One way to ask. */
export interface Surface extends Door {
  see(gateway: string, token: string, question: Question): Promise<unknown>;
  /** The timeline, or the feed of `actor`. Throws the answer unless it is one. */
  feed(gateway: string, token: string, args: { actor?: string } & FeedArguments): Promise<SeenPage>;
  post(gateway: string, token: string, uri: string): Promise<SeenPost | null>;
  /** The whole answer to the question for a post. */
  rawPost(gateway: string, token: string | undefined, uri: string): Promise<Answer>;
}

export const SURFACES: Surface[] = [overGraphql, overTrpc, overXrpc].map(surface);

function surface(door: Door): Surface {
  const see = async (gateway: string, token: string, question: Question) =>
    door.read(question, await door.ask(gateway, token, question));
  return {
    ...door,
    see,
    feed: async (gateway, token, { actor, ...args }) =>
      (await see(
        gateway,
        token,
        actor ? { operation: 'authorFeed', actor, ...args } : { operation: 'timeline', ...args },
      )) as SeenPage,
    post: async (gateway, token, uri) =>
      (await see(gateway, token, { operation: 'post', uri })) as SeenPost | null,
    rawPost: (gateway, token, uri) => door.ask(gateway, token, { operation: 'post', uri }),
  };
}
