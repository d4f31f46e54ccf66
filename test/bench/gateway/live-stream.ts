import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';

/** How a stream is asked for, and what each delivery of a post has once. */
export interface LiveDoor {
  name: string;
  request: (authorization: string) => string;
  marker: string;
  /** How a delivery begins. */
  begin: string;
}

/** What is written in the last word of who has lost a boundary. */
const LOST = /access_?lost/i;

const QUERY = `subscription { posts { __typename cursor
  ... on PostShown { post { id uri text createdAt author { did handle } boundaries { uri name } } }
  ... on StreamClosed { reason } } }`;

function post(body: string, authorization: string): string {
  const headers = [
    'Host: localhost',
    `Authorization: ${authorization}`,
    'Accept: text/event-stream',
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
  ];
  return `POST /graphql HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n${body}`;
}

export const LIVE_DOORS: LiveDoor[] = [
  {
    name: 'GraphQL',
    request: (authorization) => post(JSON.stringify({ query: QUERY }), authorization),
    marker: '"__typename":"PostShown"',
    begin: 'id: ',
  },
  {
    name: 'tRPC',
    request: (authorization) =>
      `GET /trpc/livePosts HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${authorization}\r\n` +
      'Accept: text/event-stream\r\n\r\n',
    marker: '"type":"post"',
    begin: 'id: ',
  },
  {
    name: 'XRPC',
    request: (authorization) =>
      `GET /xrpc/zone.stratos.feed.subscribePosts HTTP/1.1\r\nHost: localhost\r\n` +
      `Authorization: ${authorization}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    // The header of a frame, {"t":"#post","op":1} as DAG-CBOR.
    marker: 'ate#postbop',
    begin: '\x82\x7e',
  },
];

/** One open stream, of which is counted what it brings. */
export class LiveStream {
  readonly #socket: Socket;
  readonly #marker: Buffer;
  #rest: Buffer = Buffer.alloc(0);
  /** Posts that were shown. */
  deliveries = 0;
  /** When anything came the last time, by `Date.now()`. */
  lastAt = 0;
  isClosed = false;
  /** Whether its last word was that nothing is left to read. */
  isLost = false;
  /** Called with what comes, when somebody wants to look at it. */
  onText: ((text: string) => void) | undefined;

  private constructor(socket: Socket, marker: string) {
    this.#socket = socket;
    this.#marker = Buffer.from(marker);
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('error', () => {});
    socket.on('close', () => {
      this.isClosed = true;
    });
  }

  /** Resolves when the first bytes have come. */
  static async open(base: URL, door: LiveDoor, authorization: string): Promise<LiveStream> {
    const socket = createConnection({ host: base.hostname, port: Number(base.port) });
    await once(socket, 'connect');
    const stream = new LiveStream(socket, door.marker);
    socket.write(door.request(authorization));
    await once(socket, 'data');
    return stream;
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.lastAt = Date.now();
    const marker = this.#marker;
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    let from = 0;
    for (let at = bytes.indexOf(marker); at >= 0; at = bytes.indexOf(marker, from)) {
      this.deliveries += 1;
      from = at + marker.length;
    }
    // A marker may be cut in two.
    this.#rest = bytes.subarray(Math.max(from, bytes.length - marker.length + 1));
    if (!this.onText) return;
    const text = chunk.toString('latin1');
    this.isLost ||= LOST.test(text);
    this.onText(text);
  }
}
