/** How far somebody may go within a window. */
export interface RateLimitState {
  limit: number;
  windowMs: number;
  remaining: number;
  /** Milliseconds until the count begins anew. */
  resetMs: number;
}

/** The headers by which atproto clients know how far they may go; `RateLimit-Reset` is a Unix time. */
export function rateLimitHeaders(state: RateLimitState): Record<string, string> {
  const { limit, windowMs, remaining, resetMs } = state;
  return {
    'RateLimit-Limit': String(limit),
    'RateLimit-Remaining': String(Math.max(0, remaining)),
    'RateLimit-Reset': String(Math.ceil((Date.now() + resetMs) / 1000)),
    'RateLimit-Policy': `${limit};w=${Math.ceil(windowMs / 1000)}`,
  };
}
