/** How often each kind of thing has happened. */
export class Tally {
  readonly #counts = new Map<string, number>();

  add(kind: string): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
  }

  addAll(other: Tally): void {
    for (const [kind, count] of other.#counts) {
      this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + count);
    }
  }

  count(kind: string): number {
    return this.#counts.get(kind) ?? 0;
  }

  get sorted(): [kind: string, count: number][] {
    return [...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1));
  }
}
