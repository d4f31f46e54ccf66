import { Subscription } from '@atproto/xrpc-server';
import { com } from '@stratos/protocol/lexicons';

const { $lxm: METHOD, $message } = com.atproto.sync.subscribeRepos;
const { commit, sync, identity, account, info } = com.atproto.sync.subscribeRepos;

type AnyMessage = com.atproto.sync.subscribeRepos.$Message;
/** Those that are known; a source may send others. */
export type FirehoseMessage = Extract<AnyMessage, { seq: number } | { name: string }>;
/** A frame that is no message of the protocol, as far as it can be told whom it is about. */
export interface Malformed {
  $type: 'malformed';
  seq: number | undefined;
  did: string | undefined;
}

export interface FirehoseMessagesOptions {
  /** `ws(s)://` base of the PDS or relay. */
  url: string;
  /** Asked for at each connection. */
  cursor: () => number;
  maxReconnectMs: number;
  onReconnect: (error: unknown) => void;
  signal: AbortSignal;
}

/**
 * What a PDS or relay says, in order, over as many connections as it takes. Reads no faster than it is
 * read. Rejects when the source ends the stream with a word of its own, and when aborted.
 */
export function firehoseMessages(
  options: FirehoseMessagesOptions,
): AsyncIterable<FirehoseMessage | Malformed> {
  const { url, cursor, maxReconnectMs, onReconnect, signal } = options;
  return new Subscription<FirehoseMessage | Malformed>({
    service: url,
    method: METHOD,
    maxReconnectSeconds: maxReconnectMs / 1000,
    onReconnectError: onReconnect,
    signal,
    getParams: () => ({ cursor: cursor() }),
    validate(value) {
      const parsed = $message.safeParse(value);
      if (!parsed.success) return malformed(value);
      return isKnown(parsed.value) ? parsed.value : undefined;
    },
  });
}

function isKnown(message: AnyMessage): message is FirehoseMessage {
  return [commit, sync, identity, account, info].some(({ $type }) => $type === message.$type);
}

function malformed(value: unknown): Malformed {
  const { seq, repo, did = repo } = Object(value) as Record<string, unknown>;
  return {
    $type: 'malformed',
    seq: Number.isSafeInteger(seq) ? Number(seq) : undefined,
    did: typeof did === 'string' ? did : undefined,
  };
}
