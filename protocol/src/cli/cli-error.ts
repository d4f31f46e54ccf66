/** Something that the operator has to be told, in one line. */
export class CliError extends Error {
  override name = 'CliError';
}
