import { type Config, loadConfig } from '../config.ts';
import type { OAuth } from './oauth.ts';
import { SignedIn } from './signed-in.svelte.ts';

/** Who uses this page. */
class Account {
  status = $state<'starting' | 'signed-out' | 'signed-in' | 'unreachable'>('starting');
  person = $state.raw<SignedIn>();
  config = $state.raw<Config>();
  /** Why it did not work, for the person to read. */
  problem = $state<string>();
  #oauth: OAuth | undefined;

  /** Finds out who is signed in. */
  async start(): Promise<void> {
    this.status = 'starting';
    this.problem = undefined;
    try {
      const config = await loadConfig();
      this.config = config;
      const { OAuth } = await import('./oauth.ts');
      this.#oauth ??= await OAuth.open(config, () => this.#end());
      const session = await this.#oauth.resume();
      if (session) this.person = await SignedIn.open(session, config);
      this.status = session ? 'signed-in' : 'signed-out';
    } catch (error) {
      this.problem = reasonOf(error);
      this.status = this.#oauth && !isUnreached(error) ? 'signed-out' : 'unreachable';
    }
  }

  /** Leaves the page for the person's PDS. */
  async signIn(handleOrPds: string): Promise<void> {
    this.problem = undefined;
    try {
      await this.#oauth?.signIn(handleOrPds);
    } catch (error) {
      this.problem = reasonOf(error);
    }
  }

  /** Gives the tokens back, and forgets all that was shown. */
  async signOut(): Promise<void> {
    const { person } = this;
    this.status = 'starting';
    this.person = undefined;
    history.replaceState(null, '', '#/');
    await Promise.all([person?.outgoing.settle(), person?.changes.settle()]);
    person?.live.stop();
    if (person) await this.#oauth?.signOut(person.oauth);
    // What scripts still hold in memory goes with the page.
    location.reload();
  }

  #end(): void {
    if (this.status === 'signed-in') location.reload();
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : 'Something unexpected happened';
}

/** Nobody answered, which says nothing about the sign-in. */
function isUnreached(error: unknown): boolean {
  return error instanceof TypeError || Object(error).code === 'Unreachable';
}

export const account = new Account();
