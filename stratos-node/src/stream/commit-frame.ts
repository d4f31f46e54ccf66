import { decode } from '@atproto/lex-cbor';
import { Frame } from '@atproto/xrpc-server';
import type { Cid, Did } from '@stratos/protocol';
import type { zone } from '@stratos/protocol/lexicons';
import type { CommitEvent, EventOp } from '../storage/actor-storage.ts';
import { carBlockBytes, FrameWriter } from './frame-writer.ts';

/** A commit at its position in the node's stream. */
export interface EmittedCommit {
  seq: number;
  did: Did;
  event: CommitEvent;
  /** Those records of the commit that still exist and that the stream may carry. */
  records: ReadonlyMap<Cid, Uint8Array>;
}

type Commit = zone.stratos.sync.subscribeService.Commit;

const HEADER = { op: 1, t: '#commit' } as const;
/** The same as DAG-CBOR. */
const HEADER_BYTES = Buffer.from('a261746723636f6d6d6974626f7001', 'hex');
/** About what a frame has besides its blocks. */
const BYTES_PER_FRAME = 512;
const BYTES_PER_OP = 256;

/** A `#commit` as the bytes that are sent: it is made for each consumer, and read by none of us. */
export class CommitFrame extends Frame {
  readonly header = HEADER;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    super();
    this.#bytes = bytes;
  }

  override toBytes(): Buffer {
    return this.#bytes;
  }

  get body(): Omit<Commit, '$type'> {
    return decode(this.#bytes.subarray(HEADER_BYTES.length)) as never;
  }
}

/** Makes the frames of some commits, in the order in which they are asked for. */
export class CommitFrames {
  readonly #writer: FrameWriter;

  constructor(commits: Iterable<EmittedCommit>) {
    let expected = 0;
    for (const commit of commits) {
      expected += BYTES_PER_FRAME + blocksLength(commit) + BYTES_PER_OP * commit.event.ops.length;
    }
    this.#writer = new FrameWriter(expected);
  }

  /** The keys are in the order of DAG-CBOR: by length first. */
  frame(commit: EmittedCommit): CommitFrame {
    const { seq, did, event, records } = commit;
    const { since, prevData } = event;
    const writer = this.#writer;
    writer.raw(HEADER_BYTES);
    writer.map(7 + (since ? 1 : 0) + (prevData ? 1 : 0));
    writer.text('did');
    writer.text(did);
    writer.text('ops');
    writer.array(event.ops.length);
    for (const op of event.ops) this.#op(op);
    writer.text('rev');
    writer.text(event.rev);
    writer.text('seq');
    writer.uint(seq);
    writer.text('time');
    writer.text(event.time);
    if (since) {
      writer.text('since');
      writer.text(since);
    }
    writer.text('blocks');
    writer.bytesHead(blocksLength(commit));
    writer.raw(event.proof);
    for (const [cid, bytes] of records) writer.carBlock(cid, bytes);
    writer.text('commit');
    writer.link(event.commit);
    if (prevData) {
      writer.text('prevData');
      writer.link(prevData);
    }
    return new CommitFrame(writer.take());
  }

  #op({ action, path, cid, prev, boundaries, prevBoundaries }: EventOp): void {
    const writer = this.#writer;
    const optional = [cid, prev, boundaries, prevBoundaries];
    writer.map(2 + optional.filter((value) => value !== undefined).length);
    if (cid) {
      writer.text('cid');
      writer.link(cid);
    }
    writer.text('path');
    writer.text(path);
    if (prev) {
      writer.text('prev');
      writer.link(prev);
    }
    writer.text('action');
    writer.text(action);
    this.#texts('boundaries', boundaries);
    this.#texts('prevBoundaries', prevBoundaries);
  }

  #texts(key: string, values: readonly string[] | undefined): void {
    if (!values) return;
    this.#writer.text(key);
    this.#writer.array(values.length);
    for (const value of values) this.#writer.text(value);
  }
}

/** The proof is a CAR already, and the records are put at its end. */
function blocksLength({ event, records }: EmittedCommit): number {
  let length = event.proof.length;
  for (const bytes of records.values()) length += carBlockBytes(bytes);
  return length;
}
