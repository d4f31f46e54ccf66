/** What a process ends with when a story has come out wrong. */
export const EXIT_WRONG = 3;

/** What the AppView came to is not what the model says. */
export class OracleError extends Error {
  override name = 'OracleError';
}
