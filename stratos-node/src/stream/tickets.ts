import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { type Did, isDid, type ReplayStore, randomId, type SigningKey } from '@stratos/protocol';
import { z } from 'zod';
import { NodeError } from '../node-error.ts';

const LIFETIME_MS = 30_000;
const PURPOSE = 'stratos stream ticket';

const claimsSchema = z.strictObject({
  caller: z.custom<Did>(isDid),
  method: z.string(),
  issuedAt: z.int(),
  id: z.string(),
});

export interface TicketsOptions {
  /** The node's key of now. */
  nodeKeys: { readonly current: SigningKey };
  replayStore: ReplayStore;
  now?: () => number;
}

export interface Ticket {
  ticket: string;
  expiresAt: Date;
}

/**
 * Tickets that open one stream each, once, for those who cannot send headers with a WebSocket.
 *
 * They travel in URLs, so that they are good for nothing else: a MAC, which nobody but this node
 * can check or make, under a key that is derived from the node's own, so that every process of the
 * node knows it and the node's key itself signs nothing that leaves in a URL.
 */
export class Tickets {
  readonly #nodeKeys: TicketsOptions['nodeKeys'];
  readonly #replayStore: ReplayStore;
  readonly #now: () => number;

  constructor({ nodeKeys, replayStore, now = Date.now }: TicketsOptions) {
    this.#nodeKeys = nodeKeys;
    this.#replayStore = replayStore;
    this.#now = now;
  }

  /** A ticket by which `caller` may open a stream of `method` within 30 seconds. */
  issue(caller: Did, method: string): Ticket {
    const issuedAt = this.#now();
    const claims: z.infer<typeof claimsSchema> = { caller, method, issuedAt, id: randomId() };
    const payload = Buffer.from(JSON.stringify(claims)).toString('base64url');
    const mac = this.#mac(payload).toString('base64url');
    return { ticket: `${payload}.${mac}`, expiresAt: new Date(issuedAt + LIFETIME_MS) };
  }

  /**
   * Who asked for the ticket. It is used up by that.
   *
   * @throws `AuthRequired` for one that is not ours, is for another method, too old, or used before
   */
  async redeem(ticket: string, method: string): Promise<Did> {
    const claims = this.#read(ticket);
    if (claims?.method !== method) throw refusal();
    const { caller, issuedAt, id } = claims;
    const expiresAt = issuedAt + LIFETIME_MS;
    const { remembersSince } = this.#replayStore;
    if (this.#now() >= expiresAt || this.#now() < issuedAt) throw refusal();
    if (remembersSince && issuedAt < remembersSince.getTime()) throw refusal();
    const first = await this.#replayStore
      .claim(`ticket ${id}`, new Date(expiresAt))
      .catch((cause) => {
        throw refusal(cause);
      });
    if (!first) throw refusal();
    return caller;
  }

  #read(ticket: string): z.infer<typeof claimsSchema> | undefined {
    const [payload = '', mac = '', ...rest] = ticket.split('.');
    const expected = this.#mac(payload);
    const given = Buffer.from(mac, 'base64url');
    // @NOTE the text too, since several texts decode to the same bytes
    const isOurs =
      rest.length === 0 &&
      mac === given.toString('base64url') &&
      given.length === expected.length &&
      timingSafeEqual(given, expected);
    if (!isOurs) return undefined;
    return claimsSchema.parse(JSON.parse(Buffer.from(payload, 'base64url').toString()));
  }

  #mac(payload: string): Buffer {
    const key = hkdfSync('sha256', this.#nodeKeys.current.export(), '', PURPOSE, 32);
    return createHmac('sha256', Buffer.from(key)).update(payload).digest();
  }
}

function refusal(cause?: unknown): NodeError {
  return new NodeError('AuthRequired', 'The ticket does not hold', { cause });
}
