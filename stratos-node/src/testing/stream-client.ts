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

/** Listens to a node's stream and keeps what comes. */
export class StreamClient implements AsyncDisposable {
  readonly frames: ReceivedFrame[] = [];
  readonly #socket: WebSocket;
  #closed = false;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer) => this.frames.push(toFrame(data)));
    socket.on('close', () => {
      this.#closed = true;
    });
    socket.on('error', () => undefined);
  }

  static async open(node: TestNode, listener: TestPerson, cursor?: number): Promise<StreamClient> {
    const nsid = zone.stratos.sync.subscribeService.$nsid;
    return StreamClient.openWith(node, await listener.authorization(nsid), cursor);
  }

  static async openWith(node: TestNode, authorization: string | undefined, cursor?: number) {
    const nsid = zone.stratos.sync.subscribeService.$nsid;
    const url = `${node.url.replace('http', 'ws')}/xrpc/${nsid}${cursor === undefined ? '' : `?cursor=${cursor}`}`;
    return new StreamClient(
      new WebSocket(url, authorization === undefined ? {} : { headers: { authorization } }),
    );
  }

  of(type: string): Record<string, unknown>[] {
    return this.frames.filter((frame) => frame.type === type).map(({ body }) => body);
  }

  /** Waits until `isThere` finds what it looks for among the frames. */
  async until(isThere: (client: StreamClient) => boolean): Promise<void> {
    const deadline = Date.now() + 15_000;
    while (!isThere(this)) {
      if (Date.now() > deadline)
        throw new Error(`never came; got ${this.frames.map((f) => f.type)}`);
      await sleep(10);
    }
  }

  get closed(): boolean {
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.terminate();
  }
}

function toFrame(data: Buffer): ReceivedFrame {
  const frame = Frame.fromBytes(data);
  if (frame instanceof ErrorFrame) return { type: String(frame.code), body: {} };
  if (frame instanceof MessageFrame) {
    return { type: String(frame.type), body: frame.body as Record<string, unknown> };
  }
  throw new Error('not a frame');
}
