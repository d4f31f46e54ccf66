export interface Notice {
  id: number;
  text: string;
  action: { label: string; run: () => void } | undefined;
}

const SHOWN_MS = 6_000;

/** Short news about what the person did, read aloud and gone by itself. */
class Notices {
  all = $state.raw<readonly Notice[]>([]);
  #last = 0;

  tell(
    text: string,
    { action, forMs = SHOWN_MS }: { action?: Notice['action']; forMs?: number } = {},
  ): void {
    const id = ++this.#last;
    this.all = [...this.all, { id, text, action }];
    setTimeout(() => this.drop(id), forMs);
  }

  drop(id: number): void {
    this.all = this.all.filter((notice) => notice.id !== id);
  }
}

export const notices = new Notices();
