import type { Did } from '../identifiers.ts';
import { type HandleResolver, isHandle } from '../identity/handle-resolver.ts';

export type FacetFeature =
  | { $type: 'app.bsky.richtext.facet#mention'; did: Did }
  | { $type: 'app.bsky.richtext.facet#link'; uri: string }
  | { $type: 'app.bsky.richtext.facet#tag'; tag: string };

/** What a part of a text is, see the lexicon `app.bsky.richtext.facet`. */
export interface Facet {
  /** In bytes of UTF-8; the end is the first byte after it. */
  index: { byteStart: number; byteEnd: number };
  features: FacetFeature[];
}

export interface FindFacetsOptions {
  /** Who knows the people that are mentioned; without it nobody is. */
  handles?: HandleResolver | undefined;
}

interface Found {
  /** In UTF-16, as strings count. */
  start: number;
  text: string;
  feature: FacetFeature | undefined;
}

const MENTION = /(?<=^|[\s(])@([a-z0-9.-]+)/gi;
const LINK = /(?<=^|[\s(])https?:\/\/[^\s<>"]+/gi;
const TAG = /(?<=^|\s)[#＃]([^\s#＃\u200b]+)/g;
const MAX_TAG_GRAPHEMES = 64;

/**
 * The people, web addresses and tags in a text, in its order. Handles that name nobody stay text.
 *
 * @throws what `handles` throws
 * @example
 * const facets = await findFacets('@rei.test wrote 漢字: https://a.example/x. #steel', { handles });
 * console.log(facets.map(({ index }) => index));
 */
export async function findFacets(
  text: string,
  { handles }: FindFacetsOptions = {},
): Promise<Facet[]> {
  const found = [...links(text), ...tags(text), ...(handles ? await mentions(text, handles) : [])];
  return found
    .sort((a, b) => a.start - b.start)
    .flatMap(({ start, text: part, feature }) => {
      const byteStart = utf8Length(text.slice(0, start));
      const index = { byteStart, byteEnd: byteStart + utf8Length(part) };
      return feature ? [{ index, features: [feature] }] : [];
    });
}

export function utf8Length(text: string): number {
  return new TextEncoder().encode(text).length;
}

export function graphemeLength(text: string): number {
  return [...new Intl.Segmenter().segment(text)].length;
}

function mentions(text: string, handles: HandleResolver): Promise<Found[]> {
  const asked = new Map<string, ReturnType<HandleResolver>>();
  return Promise.all(
    [...text.matchAll(MENTION)].map(async ({ index, 1: name = '' }) => {
      const handle = name.replace(/[.-]+$/, '');
      if (!isHandle(handle)) return { start: index, text: '', feature: undefined };
      const answer = asked.get(handle) ?? handles(handle);
      asked.set(handle, answer);
      const did = await answer;
      const feature = did && ({ $type: 'app.bsky.richtext.facet#mention', did } as const);
      return { start: index, text: `@${handle}`, feature };
    }),
  );
}

/** Without what ends the sentence, or the brackets around it. */
function links(text: string): Found[] {
  return [...text.matchAll(LINK)].map(({ index, 0: whole }) => {
    const bare = whole.replace(/[.,;:!?'"]+$/, '');
    const uri = bare.endsWith(')') && !bare.includes('(') ? bare.slice(0, -1) : bare;
    const feature = { $type: 'app.bsky.richtext.facet#link', uri } as const;
    return { start: index, text: uri, feature: URL.canParse(uri) ? feature : undefined };
  });
}

/** Not numbers, and without what ends the sentence. */
function tags(text: string): Found[] {
  return [...text.matchAll(TAG)].map(({ index, 0: whole, 1: word = '' }) => {
    const tag = word.replace(/\p{P}+$/u, '');
    const isTag = /[^\d\p{P}]/u.test(tag) && graphemeLength(tag) <= MAX_TAG_GRAPHEMES;
    const feature = { $type: 'app.bsky.richtext.facet#tag', tag } as const;
    const part = whole.slice(0, 1 + tag.length);
    return { start: index, text: part, feature: isTag ? feature : undefined };
  });
}
