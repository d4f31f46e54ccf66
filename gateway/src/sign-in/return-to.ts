/** Where a browser goes after signing in: a path here, whatever it was asked to be. */
export function returnPath(asked: unknown): string {
  if (typeof asked !== 'string' || !/^\/(?![/\\])/.test(asked)) return '/';
  const here = 'http://here.invalid';
  if (!URL.canParse(asked, here)) return '/';
  const { origin, pathname, search, hash } = new URL(asked, here);
  const path = pathname + search + hash;
  return origin === here && !path.startsWith('//') ? path : '/';
}
