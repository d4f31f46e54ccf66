/** The body of an `#info` that comes where something was lost. */
export const OUTDATED_CURSOR = {
  name: 'OutdatedCursor',
  message: 'Events after the cursor are no longer kept; those that are follow',
} as const;
