import type { AtUri } from '@stratos/protocol';
import type {
  PostAtInput,
  PostInput,
  PostsInput,
  PostView,
  UnavailablePostView,
  Visible,
} from '@stratos/schema';
import { quotedUri } from '../access/embed.ts';
import { checkUris } from './check-input.ts';
import type { HeldPosts } from './post-loader.ts';
import type { Request } from './request.ts';

type Post = Visible<PostView>;

export async function post(request: Request, { uri }: PostInput): Promise<Post | null> {
  request.budget.spend(1);
  const [best = null] = await postsAt(request, uri);
  return best;
}

export async function postAt(request: Request, { uri, node }: PostAtInput): Promise<Post | null> {
  request.budget.spend(1);
  const held = await postsAt(request, uri);
  return held.find((one) => one.node === node) ?? null;
}

/** The posts at an address, the best first: those of the index, or else the one that its stub points to. */
export async function postsAt({ posts, ahead }: Request, uri: AtUri): Promise<Post[]> {
  const indexed = await posts.load(uri);
  return isHeld(indexed) ? indexed.posts : ahead.load(uri);
}

function isHeld({ posts, unavailable }: HeldPosts): boolean {
  return posts.length > 0 || unavailable.length > 0;
}

export async function posts(request: Request, input: PostsInput): Promise<(Post | null)[]> {
  return Promise.all(checkUris(input.uris).map((uri) => post(request, { uri })));
}

/** Those that no node gives which the index says to hold them. */
export async function unavailablePosts(
  { budget, posts }: Request,
  input: PostsInput,
): Promise<Visible<UnavailablePostView>[]> {
  const uris = [...new Set(checkUris(input.uris))];
  budget.spend(uris.length);
  const held = await Promise.all(uris.map((uri) => posts.load(uri)));
  return held.flatMap((at) => (at.posts.length > 0 ? [] : at.unavailable));
}

/** The post that a post quotes, of the index alone; null when it quotes none, or none that is to be seen. */
export async function quoted({ budget, posts }: Request, quoting: Post): Promise<Post | null> {
  const uri = quotedUri(quoting);
  if (!uri) return null;
  budget.spend(1);
  const [best = null] = (await posts.load(uri)).posts;
  return best;
}
