import { isDid } from '@stratos/protocol';
import { app } from '@stratos/protocol/lexicons';
import type { FacetView } from '@stratos/schema';
import { httpUrl } from './http-url.ts';

const { byteSlice, link, mention, tag } = app.bsky.richtext.facet;

/**
 * What parts of a text stand for, in order and without overlap. Left out are features that nobody here knows,
 * and facets that lie outside the text, cut one of its characters in two, or begin within another one.
 *
 * @param facets - as in a record (`app.bsky.richtext.facet`), or anything else
 */
export function presentFacets(facets: unknown, text: string): FacetView[] {
  if (!Array.isArray(facets)) return [];
  const bytes = Buffer.from(text);
  let end = 0;
  return facets
    .flatMap((facet) => presentFacet(facet) ?? [])
    .filter(({ byteStart, byteEnd }) => byteStart < byteEnd && isEdge(bytes, byteEnd))
    .filter(({ byteStart }) => isEdge(bytes, byteStart))
    .sort((a, b) => a.byteStart - b.byteStart)
    .filter(({ byteStart, byteEnd }) => {
      if (byteStart < end) return false;
      end = byteEnd;
      return true;
    });
}

function presentFacet(facet: unknown): FacetView | undefined {
  if (typeof facet !== 'object' || facet === null) return undefined;
  if (!('index' in facet && 'features' in facet && Array.isArray(facet.features))) return undefined;
  const range = byteSlice.ifMatches(facet.index);
  const features: unknown[] = facet.features;
  const did = firstOf(features, mention)?.did;
  const view = {
    mention: isDid(did) ? did : null,
    link: httpUrl(firstOf(features, link)?.uri),
    tag: firstOf(features, tag)?.tag ?? null,
  };
  if (!range || Object.values(view).every((value) => value === null)) return undefined;
  return { byteStart: range.byteStart, byteEnd: range.byteEnd, ...view };
}

interface Feature<T> {
  $type: string;
  ifMatches(value: unknown): T | undefined;
}

function firstOf<T>(features: unknown[], kind: Feature<T>): T | undefined {
  const feature = features.find(
    (one) => typeof one === 'object' && one !== null && '$type' in one && one.$type === kind.$type,
  );
  return kind.ifMatches(feature);
}

/** Whether a place in UTF-8 is the end of the text, or where a character begins. */
function isEdge(bytes: Uint8Array, place: number): boolean {
  const byte = bytes[place];
  return byte === undefined ? place === bytes.length : (byte & 0b1100_0000) !== 0b1000_0000;
}
