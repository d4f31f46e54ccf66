import type { RepoRecord } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';

const MAX_RECORDS = 1_000;
const MAX_BYTES = 4 * 1024 * 1024;

export interface RecordPage {
  posts: RepoRecord[];
  isFirst: boolean;
  isLast: boolean;
}

/** The posts of a repo, as many at once as one transaction may write; at least one page. */
export async function* postPages(
  records: Iterable<RepoRecord> | AsyncIterable<RepoRecord>,
): AsyncGenerator<RecordPage, void> {
  let posts: RepoRecord[] = [];
  let bytes = 0;
  let isFirst = true;
  for await (const record of records) {
    if (record.collection !== zone.stratos.feed.post.$nsid) continue;
    if (posts.length >= MAX_RECORDS || bytes >= MAX_BYTES) {
      yield { posts, isFirst, isLast: false };
      isFirst = false;
      posts = [];
      bytes = 0;
    }
    posts.push(record);
    bytes += record.bytes.length;
  }
  yield { posts, isFirst, isLast: true };
}
