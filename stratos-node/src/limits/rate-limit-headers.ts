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
    ...standing(remaining, resetMs),
    'RateLimit-Policy': `${limit};w=${Math.ceil(windowMs / 1000)}`,
  };
}

/** The same for somebody who has to wait, however far they may go otherwise. */
export function exhaustedHeaders(resetMs: number): Record<string, string> {
  return standing(0, resetMs);
}

function standing(remaining: number, resetMs: number): Record<string, string> {
  return {
    'RateLimit-Remaining': String(Math.max(0, remaining)),
    'RateLimit-Reset': String(Math.ceil((Date.now() + resetMs) / 1000)),
  };
}
