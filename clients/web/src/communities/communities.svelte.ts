import type { SignedIn } from '../account/signed-in.svelte.ts';
import type { Community } from '../feed/posts.ts';

/** The communities of the person, as the gateway knows them right now. */
class Communities {
  all = $state.raw<readonly Community[]>([]);
  status = $state<'loading' | 'ready' | 'failed'>('loading');
  #asked = 0;

  /** Those that can be read and written to. */
  get open(): string[] {
    return this.all.filter(({ isOpen }) => isOpen).map(({ uri }) => uri);
  }

  /** Keeps them right. Answers what ends it. */
  follow(person: SignedIn): () => void {
    this.load(person);
    return person.live.listen(({ type }) => {
      if (['opened', 'boundaryOpened', 'boundaryClosed', 'reset'].includes(type)) this.load(person);
    });
  }

  async load({ stratos }: SignedIn): Promise<void> {
    const asked = ++this.#asked;
    try {
      const all = await stratos.boundaries.query();
      if (asked !== this.#asked) return;
      this.all = all;
      this.status = 'ready';
    } catch {
      if (this.status === 'loading') this.status = 'failed';
    }
  }
}

export const communities = new Communities();
