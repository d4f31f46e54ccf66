import type { Need } from '../check.ts';
import { SkippedError } from '../check.ts';
import type { AppView } from './caller.ts';
import type { Method, Params, RemoteNode } from './node.ts';
import type { Operator } from './operator.ts';
import type { Person } from './person.ts';
import { Stream } from './stream.ts';

/** Somebody who is not enrolled and may become so, and how. */
export interface Newcomer {
  readonly person: Person;
  /** Takes them through the OAuth flow of the node. */
  enroll(): Promise<void>;
}

/** People by what they are to each other. */
export interface People {
  /** Writes. */
  readonly author: Person;
  /** Is a member of a boundary of the author. */
  readonly member: Person;
  /** Is not. */
  readonly outsider: Person;
  /** The boundary that author and member have in common and the outsider lacks. */
  readonly shared: string;
}

export interface WorldParts {
  readonly node: RemoteNode;
  readonly people?: People | undefined;
  readonly operator?: Operator | undefined;
  readonly appView?: AppView | undefined;
  readonly newcomer?: Newcomer | undefined;
}

/** The node under test and everybody who has to do with it. */
export class World {
  readonly node: RemoteNode;
  readonly #parts: WorldParts;
  readonly #streams: Stream[] = [];
  #undo: (() => Promise<unknown>)[] = [];

  constructor(parts: WorldParts) {
    this.node = parts.node;
    this.#parts = parts;
  }

  lacks(needs: readonly Need[]): Need | undefined {
    return needs.find((need) => this.#parts[need] === undefined);
  }

  get people(): People {
    return this.#part('people');
  }

  get operator(): Operator {
    return this.#part('operator');
  }

  get appView(): AppView {
    return this.#part('appView');
  }

  get newcomer(): Newcomer {
    return this.#part('newcomer');
  }

  /** A boundary of the node other than the one that is shared. */
  get otherBoundary(): string {
    const other = this.node.domains.find((boundary) => boundary !== this.people.shared);
    if (other === undefined) throw new SkippedError('the node keeps a single boundary');
    return other;
  }

  /** Opens a stream, which is closed at the end of the check. */
  open(method: Method, params: Params = {}, authorization?: string): Stream {
    const stream = new Stream(this.node.streamUrl(method, params), authorization);
    this.#streams.push(stream);
    return stream;
  }

  /** Gives somebody other boundaries until the end of the check. */
  async withBoundaries(person: Person, boundaries: readonly string[]): Promise<void> {
    const before = person.boundaries;
    this.afterwards(() => this.operator.setBoundaries(person.did, before));
    await this.operator.setBoundaries(person.did, boundaries);
  }

  /** Something to do at the end of the check, last come first. */
  afterwards(undo: () => Promise<unknown>): void {
    this.#undo.unshift(undo);
  }

  /** Makes everything as it was before the check. */
  async cleanUp(): Promise<void> {
    for (const stream of this.#streams.splice(0)) await stream[Symbol.asyncDispose]();
    const undo = this.#undo;
    this.#undo = [];
    for (const step of undo) await step();
    const { people, newcomer } = this.#parts;
    for (const person of [people?.author, people?.member, people?.outsider])
      await person?.cleanUp();
    await newcomer?.person.cleanUp();
  }

  #part<Name extends Need>(name: Name): NonNullable<WorldParts[Name]> {
    const part = this.#parts[name];
    if (!part) throw new SkippedError(name);
    return part;
  }
}
