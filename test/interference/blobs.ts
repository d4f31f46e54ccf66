import { authorization, send } from '@stratos/gateway/testing/doors';
import { parseAtUri } from '@stratos/protocol';
import type { Asking } from './asking.ts';
import { type Case, differ } from './compare.ts';
import { fileOf } from './files.ts';
import { NODES } from './world.ts';

/** A file by its address: of a post that names it, or of one that does not. */
export function blobCase({ random, model, world, viewer, token }: Asking): Case {
  const holders = world.posts.filter(({ file }) => file);
  const post = random.oneOf(random.chance(0.8) ? holders : world.posts);
  const file = fileOf(random.chance(0.8) ? post : random.oneOf(holders));
  const node = random.chance(0.9) ? post.node : random.oneOf(NODES);
  const { did, rkey } = parseAtUri(post.uri);
  const path = `/blob/${[node, did, rkey, file?.cid ?? 'none'].map(encodeURIComponent).join('/')}`;
  const about = { path, viewer };
  const named = model.at(post.uri, node);
  const isThere = file && named && fileOf(named)?.cid === file.cid;
  return {
    about,
    async ask(gateway) {
      const answer = await send(`${gateway}${path}`, { headers: authorization(token) });
      if (answer.status !== 200 && answer.status !== 404) differ(about, answer, 'a file or none');
      return { answers: [answer], seen: answer.status === 200 ? answer.body : null };
    },
    expected: isThere ? file.bytes.toString() : null,
  };
}
