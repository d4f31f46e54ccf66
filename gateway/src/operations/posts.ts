import type { PostAtInput, PostInput, PostsInput, PostView, Visible } from '@stratos/schema';
import { quotedUri } from '../access/embed.ts';
import { checkUris } from './check-input.ts';
import type { Request } from './request.ts';

type Post = Visible<PostView>;

export async function post({ budget, posts }: Request, { uri }: PostInput): Promise<Post | null> {
  budget.spend(1);
  const [best = null] = await posts.load(uri);
  return best;
}

export async function postAt(
  { budget, posts }: Request,
  { uri, node }: PostAtInput,
): Promise<Post | null> {
  budget.spend(1);
  const held = await posts.load(uri);
  return held.find((one) => one.node === node) ?? null;
}

export async function posts(request: Request, input: PostsInput): Promise<(Post | null)[]> {
  return Promise.all(checkUris(input.uris).map((uri) => post(request, { uri })));
}

/** The post that a post quotes; null when it quotes none, or none that is to be seen. */
export async function quoted(request: Request, quoting: Post): Promise<Post | null> {
  const uri = quotedUri(quoting);
  return uri ? post(request, { uri }) : null;
}
