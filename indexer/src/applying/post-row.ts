import { zone } from '@stratos/protocol/lexicons';

/** What the index keeps of a post beside its bytes. */
export interface PostRow {
  text: string;
  replyRoot: string | null;
  replyParent: string | null;
  createdAt: Date;
}

const EARLIEST = new Date('1970-01-01T00:00:00.000Z');

/** Reads a post, or undefined when it is not what its lexicon says, or only a stub of one. */
export function readPost(value: unknown): PostRow | undefined {
  const parsed = zone.stratos.feed.post.main.safeParse(value);
  if (!parsed.success || parsed.value.source !== undefined) return undefined;
  const { text = '', reply, createdAt } = parsed.value;
  const written = new Date(createdAt);
  if (Number.isNaN(written.getTime())) return undefined;
  return {
    // Postgres has no NUL in its text; the record itself keeps it.
    text: text.replaceAll('\0', ''),
    replyRoot: reply?.root.uri ?? null,
    replyParent: reply?.parent.uri ?? null,
    createdAt: written < EARLIEST ? EARLIEST : written,
  };
}
