/** What a post may have, see the lexicon `zone.stratos.feed.post`. */
export const MAX_GRAPHEMES = 300;
const MAX_BYTES = 3_000;

const segmenter = new Intl.Segmenter();

/** How many characters a reader sees. */
export function graphemesOf(text: string): number {
  return [...segmenter.segment(text)].length;
}

export function isTooLong(text: string): boolean {
  return graphemesOf(text) > MAX_GRAPHEMES || new TextEncoder().encode(text).length > MAX_BYTES;
}
