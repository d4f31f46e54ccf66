import { setTimeout as sleep } from 'node:timers/promises';
import { ErrorFrame, Frame, MessageFrame } from '@atproto/xrpc-server';
import { zone } from '@stratos/protocol/lexicons';
import { WebSocket } from 'ws';
import type { TestNode, TestPerson } from './test-node.ts';

export interface ReceivedFrame {
  /** `#commit`, `#membership`, `#heartbeat`, or the name of an error. */
  type: string;
  body: Record<string, unknown>;
}

export interface StreamRequest {
  /** Of the service unless told. */
  nsid?: string;
  params?: Record<string, string | number>;
  authorization?: string | undefined;
  /** Whether pings are answered; they are unless told. */
  autoPong?: boolean;
}

/** Listens to a stream of a node and keeps what comes. */
export class StreamClient implements AsyncDisposable {
  readonly #received: Buffer[] = [];
  readonly #frames: ReceivedFrame[] = [];
  readonly #socket: WebSocket;
  #closed: { code: number; reason: string } | undefined;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer) => this.#received.push(data));
    socket.on('close', (code, reason) => {
      this.#closed = { code, reason: reason.toString() };
    });
    socket.on('error', () => undefined);
  }

  static async open(node: TestNode, listener: TestPerson, cursor?: number): Promise<StreamClient> {
    const nsid = zone.stratos.sync.subscribeService.$nsid;
    return StreamClient.openWith(node, await listener.authorization(nsid), cursor);
  }

  static async openWith(node: TestNode, authorization: string | undefined, cursor?: number) {
    return StreamClient.request(node, {
      authorization,
      params: cursor === undefined ? {} : { cursor },
    });
  }

  /** Listens to `subscribeRecords` as somebody. */
  static async openRecords(
    node: TestNode,
    listener: TestPerson,
    params: Record<string, string | number>,
  ): Promise<StreamClient> {
    const nsid = zone.stratos.sync.subscribeRecords.$nsid;
    const authorization = await listener.authorization(nsid);
    return StreamClient.request(node, { nsid, params, authorization });
  }

  static request(node: TestNode, request: StreamRequest): StreamClient {
    const { nsid = zone.stratos.sync.subscribeService.$nsid, params = {} } = request;
    const { authorization, autoPong = true } = request;
    const url = new URL(`/xrpc/${nsid}`, node.url.replace('http', 'ws'));
    for (const [name, value] of Object.entries(params)) url.searchParams.set(name, String(value));
    const headers = authorization === undefined ? {} : { authorization };
    return new StreamClient(new WebSocket(url, { headers, autoPong }));
  }

  /** How many frames came, which costs less to ask than what they are. */
  get count(): number {
    return this.#received.length;
  }

  get frames(): ReceivedFrame[] {
    for (const data of this.#received.slice(this.#frames.length)) this.#frames.push(toFrame(data));
    return this.#frames;
  }

  /** The last frames of very many. */
  tail(count: number): ReceivedFrame[] {
    return this.#received.slice(-count).map(toFrame);
  }

  of(type: string): Record<string, unknown>[] {
    return this.frames.filter((frame) => frame.type === type).map(({ body }) => body);
  }

  /** Waits until `isThere` finds what it looks for among the frames. */
  async until(isThere: (client: StreamClient) => boolean, withinMs = 15_000): Promise<void> {
    const deadline = Date.now() + withinMs;
    while (!isThere(this)) {
      if (Date.now() > deadline)
        throw new Error(`never came; got ${this.frames.slice(-50).map((f) => f.type)}`);
      await sleep(10);
    }
  }

  /** Reads nothing any more, until {@link resume}. */
  async pause(): Promise<void> {
    await this.until(() => this.#socket.readyState !== WebSocket.CONNECTING);
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  get closed(): boolean {
    return this.#closed !== undefined;
  }

  /** How the stream ended; undefined while it has not. */
  get ending(): { code: number; reason: string } | undefined {
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.terminate();
  }
}

function toFrame(data: Buffer): ReceivedFrame {
  const frame = Frame.fromBytes(data);
  if (frame instanceof ErrorFrame) {
    return { type: String(frame.code), body: { message: frame.message } };
  }
  if (frame instanceof MessageFrame) {
    return { type: String(frame.type), body: frame.body as Record<string, unknown> };
  }
  throw new Error('not a frame');
}
