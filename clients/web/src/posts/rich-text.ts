import type { Post } from '../feed/posts.ts';
import { hrefOf } from '../routes.ts';

export interface TextPart {
  text: string;
  /** Where it leads, if it leads somewhere. */
  href: string | undefined;
  /** Whether that is outside of this page. */
  isElsewhere: boolean;
}

/** A text cut where its facets begin and end, which count bytes of UTF-8. */
export function richText({ text, facets }: Pick<Post, 'text' | 'facets'>): TextPart[] {
  const bytes = new TextEncoder().encode(text);
  const decoder = new TextDecoder();
  const parts: TextPart[] = [];
  let at = 0;
  for (const { byteStart, byteEnd, mention, link, tag } of facets) {
    const [before, words] = [bytes.slice(at, byteStart), bytes.slice(byteStart, byteEnd)];
    if (before.length > 0) parts.push(plain(decoder.decode(before)));
    const inside = mention
      ? hrefOf({ screen: 'person', actor: mention })
      : tag && hrefOf({ screen: 'search', text: tag });
    parts.push({
      text: decoder.decode(words),
      href: link ?? inside ?? undefined,
      isElsewhere: link !== null,
    });
    at = byteEnd;
  }
  if (at < bytes.length) parts.push(plain(decoder.decode(bytes.slice(at))));
  return parts;
}

function plain(text: string): TextPart {
  return { text, href: undefined, isElsewhere: false };
}
