import type { Boundary, Did } from '@stratos/protocol';
import type {
  AuthorFeedInput,
  Operations,
  PostAtInput,
  PostInput,
  PostsInput,
  PostView,
  RepliesInput,
  SearchInput,
  ThreadInput,
  TimelineInput,
  Visible,
} from '@stratos/schema';
import { actor } from './actor.ts';
import { authorFeed } from './author-feed.ts';
import { boundaries, boundary, node } from './memberships.ts';
import { postProof } from './post-proof.ts';
import { post, postAt, posts, quoted, unavailablePosts } from './posts.ts';
import { replies } from './replies.ts';
import { createRequest, type OperationsOptions, type Request } from './request.ts';
import { search } from './search.ts';
import { thread } from './thread.ts';
import { timeline } from './timeline.ts';
import { viewer } from './viewer.ts';

export type { OperationsOptions } from './request.ts';

/** The operations of one viewer, for one request. */
export class ViewerOperations implements Operations {
  readonly #make: () => Request;
  #made: Request | undefined;

  constructor(viewer: Did, options: OperationsOptions) {
    this.#make = () => createRequest(viewer, options);
  }

  /** Made when it is needed: whoever follows posts may never. */
  get #request(): Request {
    this.#made ??= this.#make();
    return this.#made;
  }

  viewer() {
    return viewer(this.#request);
  }

  timeline(input: TimelineInput) {
    return timeline(this.#request, input);
  }

  authorFeed(input: AuthorFeedInput) {
    return authorFeed(this.#request, input);
  }

  search(input: SearchInput) {
    return search(this.#request, input);
  }

  post(input: PostInput) {
    return post(this.#request, input);
  }

  postAt(input: PostAtInput) {
    return postAt(this.#request, input);
  }

  posts(input: PostsInput) {
    return posts(this.#request, input);
  }

  unavailablePosts(input: PostsInput) {
    return unavailablePosts(this.#request, input);
  }

  thread(input: ThreadInput) {
    return thread(this.#request, input);
  }

  replies(input: RepliesInput) {
    return replies(this.#request, input);
  }

  quoted(quoting: Visible<PostView>) {
    return quoted(this.#request, quoting);
  }

  counts({ uri }: Visible<PostView>) {
    return this.#request.counts.load(uri);
  }

  postProof(post: Visible<PostView>) {
    return postProof(this.#request, post);
  }

  actor(input: { actor: string }) {
    return actor(this.#request, input);
  }

  boundary(input: { boundary: Boundary }) {
    return boundary(this.#request, input);
  }

  boundaries() {
    return boundaries(this.#request);
  }

  node(input: { did: Did }) {
    return node(this.#request, input);
  }
}
