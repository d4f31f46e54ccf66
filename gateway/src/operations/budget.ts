import { ApiError } from '@stratos/schema';

/** Posts that one request may ask for, in all that it asks together. */
export const MAX_POSTS_PER_REQUEST = 500;

/** What is left of the posts that one request may ask for. */
export class PostBudget {
  #left = MAX_POSTS_PER_REQUEST;

  get left(): number {
    return this.#left;
  }

  /** Throws `QUERY_TOO_COMPLEX` when there are not so many left. */
  spend(posts: number): void {
    if (posts > this.#left) {
      const message = `A request may ask for ${MAX_POSTS_PER_REQUEST} posts at most`;
      throw new ApiError('QUERY_TOO_COMPLEX', message);
    }
    this.#left -= posts;
  }
}
