import type { Canaries, Canary } from './canaries.ts';

/** Something that was said, by whom and to whom. */
interface Statement {
  source: string;
  text: string;
  /** What who heard it may know. */
  mayKnow: ReadonlySet<Canary>;
}

/** All that was said, in which nothing may be that who hears it may not know. */
export class Evidence {
  readonly #canaries: Canaries;
  readonly #statements: Statement[] = [];

  constructor(canaries: Canaries) {
    this.#canaries = canaries;
  }

  add(source: string, text: string, mayKnow: Iterable<Canary> = []): void {
    this.#statements.push({ source, text, mayKnow: new Set(mayKnow) });
  }

  get size(): number {
    return this.#statements.length;
  }

  /** What came out, and where: looked for at the end, when all canaries are known. */
  leaks(): string[] {
    const found = this.#statements.flatMap(({ source, text, mayKnow }) =>
      this.#canaries
        .in(text)
        .filter((canary) => !mayKnow.has(canary))
        .map(({ what }) => `${what} in ${source}`),
    );
    return [...new Set(found)];
  }
}
