import type { LexValue } from '@atproto/lex-data';
import { lexToJson } from '@atproto/lex-json';
import { app, com, zone } from '@stratos/protocol/lexicons';

/** What the index keeps of a post beside its bytes. */
export interface PostRow {
  text: string;
  replyRoot: string | null;
  replyParent: string | null;
  /** The record that it quotes. */
  quote: string | null;
  langs: string[];
  tags: string[];
  /** Labels that its author gave it. */
  labels: string[];
  /** As in the record, in the JSON of lexicons. */
  facets: unknown;
  embed: unknown;
  createdAt: Date;
}

type Post = zone.stratos.feed.post.Main;

const EARLIEST = new Date('1970-01-01T00:00:00.000Z');

/** Reads a post, or undefined when it is not what its lexicon says, or only a stub of one. */
export function readPost(value: unknown): PostRow | undefined {
  const parsed = zone.stratos.feed.post.main.safeValidate(value);
  if (!parsed.success || parsed.value.source !== undefined) return undefined;
  const { text = '', reply, langs = [], tags = [], facets, embed, createdAt } = parsed.value;
  const written = new Date(createdAt);
  if (Number.isNaN(written.getTime())) return undefined;
  return {
    text: withoutNul(text),
    replyRoot: reply?.root.uri ?? null,
    replyParent: reply?.parent.uri ?? null,
    quote: quoteOf(embed),
    langs: langs.map(withoutNul),
    tags: tags.map(withoutNul),
    labels: labelsOf(parsed.value.labels),
    facets: jsonOf(facets),
    embed: jsonOf(embed),
    createdAt: written < EARLIEST ? EARLIEST : written,
  };
}

function quoteOf(embed: Post['embed']): string | null {
  if (!embed) return null;
  if (app.bsky.embed.record.main.isTypeOf(embed)) return embed.record.uri;
  if (app.bsky.embed.recordWithMedia.main.isTypeOf(embed)) return embed.record.record.uri;
  return null;
}

function labelsOf(labels: Post['labels']): string[] {
  if (!labels || !com.atproto.label.defs.selfLabels.isTypeOf(labels)) return [];
  return labels.values.map(({ val }) => withoutNul(val));
}

function jsonOf(value: LexValue | undefined): unknown {
  if (value === undefined) return null;
  return withoutNuls(lexToJson(value));
}

// @NOTE Postgres has no NUL in its text; the record itself keeps it
function withoutNul(text: string): string {
  return text.includes('\0') ? text.replaceAll('\0', '') : text;
}

function withoutNuls(value: unknown): unknown {
  if (typeof value === 'string') return withoutNul(value);
  if (Array.isArray(value)) return value.map(withoutNuls);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, each]) => [withoutNul(key), withoutNuls(each)]);
  return Object.fromEntries(entries);
}
