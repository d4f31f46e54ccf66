/** Something in a proof is not what it has to be. Nobody outside gets to see one. */
export class FlawError extends Error {
  override name = 'FlawError';
}

/** Throws {@link FlawError} unless something holds. */
export function must(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new FlawError(otherwise);
}
