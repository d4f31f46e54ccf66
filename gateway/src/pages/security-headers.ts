import type { RequestHandler } from 'express';

/** Headers of our pages. What they load, they load from here. */
export function pageHeaders(connectTo: string[] = []): RequestHandler {
  return framelessHeaders([
    "script-src 'self'",
    "worker-src 'self' blob:",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self' data:",
    ["connect-src 'self'", ...connectTo].join(' '),
  ]);
}

/** Headers of a page that nobody frames and that sends no forms. What `directives` do not allow is forbidden. */
export function framelessHeaders(directives: readonly string[]): RequestHandler {
  const policy = [
    "default-src 'none'",
    ...directives,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
  return (_req, res, next) => {
    res.setHeader('Content-Security-Policy', policy);
    res.setHeader('X-Frame-Options', 'DENY');
    res.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
    next();
  };
}
