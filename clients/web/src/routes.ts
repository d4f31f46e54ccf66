import { isAtUri, isBoundary, parseAtUri } from '@stratos/client';

/** What is on the screen, as the part of the address after `#` says it. */
export type Route =
  | { screen: 'home'; boundary?: string }
  | { screen: 'thread'; uri: string }
  | { screen: 'inspector'; uri: string }
  | { screen: 'person'; actor: string }
  | { screen: 'search'; text: string }
  | { screen: 'communities' }
  | { screen: 'unknown' };

const POST = 'zone.stratos.feed.post';

export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#?\/?/, '').split('?');
  const [screen, ...parts] = path.split('/').map(decoded);
  switch (screen) {
    case '': {
      return { screen: 'home' };
    }
    case 'community': {
      const [boundary] = parts;
      return isBoundary(boundary) ? { screen: 'home', boundary } : { screen: 'unknown' };
    }
    case 'post':
    case 'inspect': {
      const uri = `at://${parts[0]}/${POST}/${parts[1]}`;
      if (!isAtUri(uri)) return { screen: 'unknown' };
      return { screen: screen === 'post' ? 'thread' : 'inspector', uri };
    }
    case 'people': {
      const [actor] = parts;
      return actor ? { screen: 'person', actor } : { screen: 'unknown' };
    }
    case 'search': {
      return { screen: 'search', text: new URLSearchParams(query).get('text') ?? '' };
    }
    case 'communities': {
      return { screen: 'communities' };
    }
    default: {
      return { screen: 'unknown' };
    }
  }
}

export function hrefOf(route: Route): string {
  switch (route.screen) {
    case 'home': {
      return route.boundary ? `#/community/${encodeURIComponent(route.boundary)}` : '#/';
    }
    case 'thread': {
      return `#/post/${postPath(route.uri)}`;
    }
    case 'inspector': {
      return `#/inspect/${postPath(route.uri)}`;
    }
    case 'person': {
      return `#/people/${encodeURIComponent(route.actor)}`;
    }
    case 'search': {
      return route.text ? `#/search?${new URLSearchParams({ text: route.text })}` : '#/search';
    }
    case 'communities': {
      return '#/communities';
    }
    default: {
      return '#/';
    }
  }
}

function postPath(uri: string): string {
  const { did, rkey } = parseAtUri(uri);
  return `${did}/${rkey}`;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return '';
  }
}
