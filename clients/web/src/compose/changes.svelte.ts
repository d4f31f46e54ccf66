import { deletePost, editPost } from '@stratos/client';
import { SvelteMap, SvelteSet } from 'svelte/reactivity';
import type { SignedIn } from '../account/signed-in.svelte.ts';
import type { LiveEvent } from '../feed/live.svelte.ts';
import { keyOf, type Post } from '../feed/posts.ts';
import { notices } from '../shell/notices.svelte.ts';
import { HOLD_MS, problemOf } from './outgoing.svelte.ts';

/** How often, and after how many milliseconds, a gateway is asked for a new version. */
const TRIES = 30;
const AGAIN_MS = 400;

/** What the person changed about their own posts, shown before the gateway tells of it. */
export class Changes {
  readonly #person: SignedIn;
  readonly #deleted = new SvelteSet<string>();
  /** Those that can be had back. */
  readonly #held = new Map<string, Post>();
  readonly #edited = new SvelteMap<string, string>();

  constructor(person: SignedIn) {
    this.#person = person;
    person.live.listen((event) => this.#take(event));
  }

  /** Whether something would be lost with the page. */
  get isBusy(): boolean {
    return this.#held.size > 0 || this.#edited.size > 0;
  }

  isDeleted(post: Post): boolean {
    return this.#deleted.has(keyOf(post));
  }

  /** The new text of a post that is being changed. */
  editOf(post: Post): string | undefined {
    return this.#edited.get(keyOf(post));
  }

  /** Hides a post at once, and deletes it when that was not taken back. */
  delete(post: Post): void {
    const key = keyOf(post);
    this.#deleted.add(key);
    this.#held.set(key, post);
    const timer = setTimeout(() => this.#delete(post), HOLD_MS);
    notices.tell('Post deleted', {
      forMs: HOLD_MS,
      action: {
        label: 'Undo',
        run: () => {
          clearTimeout(timer);
          this.#held.delete(key);
          this.#deleted.delete(key);
        },
      },
    });
  }

  /** Deletes at once what is hidden only. */
  async settle(): Promise<void> {
    await Promise.all([...this.#held.values()].map((post) => this.#delete(post)));
  }

  async edit(post: Post, text: string): Promise<void> {
    const key = keyOf(post);
    this.#edited.set(key, text);
    try {
      const session = await this.#person.nodes.at(post.node);
      const { handles } = this.#person;
      const { cid } = await editPost(session, post.uri, { text, handles });
      await this.#showAs(post, cid);
    } catch (error) {
      notices.tell(`The post was not changed. ${problemOf(error)}`);
    } finally {
      this.#edited.delete(key);
    }
  }

  /** Shows a version of a post as soon as the gateway has it, whether or not that tells of it. */
  async #showAs({ uri }: Post, cid: string): Promise<void> {
    const { stratos, live } = this.#person;
    for (let tries = 0; tries < TRIES; tries += 1) {
      const post = await stratos.post.query({ uri, counts: true });
      if (post?.cid === cid) {
        live.tell({ type: 'post', post });
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }

  async #delete(post: Post): Promise<void> {
    if (!this.#held.delete(keyOf(post))) return;
    try {
      const session = await this.#person.nodes.at(post.node);
      await deletePost(session, post.uri);
    } catch (error) {
      this.#deleted.delete(keyOf(post));
      notices.tell(`The post was not deleted. ${problemOf(error)}`);
    }
  }

  #take(event: LiveEvent): void {
    if (event.type === 'post') this.#edited.delete(keyOf(event.post));
    if (event.type === 'removed') this.#deleted.delete(keyOf(event));
  }
}
