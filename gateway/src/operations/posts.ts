import type { AtUri } from '@stratos/protocol';
import type { PostAtInput, PostInput, PostsInput, PostView, Visible } from '@stratos/schema';
import { quotedUri } from '../access/embed.ts';
import { checkUris } from './check-input.ts';
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
  return indexed.length > 0 ? indexed : ahead.load(uri);
}

export async function posts(request: Request, input: PostsInput): Promise<(Post | null)[]> {
  return Promise.all(checkUris(input.uris).map((uri) => post(request, { uri })));
}

/** The post that a post quotes, of the index alone; null when it quotes none, or none that is to be seen. */
export async function quoted({ budget, posts }: Request, quoting: Post): Promise<Post | null> {
  const uri = quotedUri(quoting);
  if (!uri) return null;
  budget.spend(1);
  const [best = null] = await posts.load(uri);
  return best;
}
