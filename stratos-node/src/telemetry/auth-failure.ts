const REASONS: readonly (readonly [RegExp, string])[] = [
  [/cannot be checked for replay/, 'replay-store'],
  [/another audience/, 'audience'],
  [/another method/, 'method'],
  [/signature/, 'signature'],
  [/already used/, 'replayed'],
  [/nonce/i, 'nonce'],
  [/proof|another key/i, 'proof'],
  [/session/, 'session'],
  [/malformed|lacks a claim/, 'malformed'],
  [/expired|older than/, 'expired'],
  [/not valid yet|lives too long/, 'lifetime'],
  [/resolved/, 'issuer'],
  [/AppView/, 'not-an-appview'],
  [/is required/, 'missing'],
];

/** Why a caller was refused, as one of a few words. */
export function authFailureReason(message: string): string {
  return REASONS.find(([pattern]) => pattern.test(message))?.[1] ?? 'other';
}
