/** An error as the log has it. */
export interface LoggedError {
  type: string;
  message?: string;
  code?: string;
  stack?: string;
  cause?: LoggedError;
}

const LONGEST_MESSAGE = 300;
const MAX_CAUSES = 5;
/** Errors whose messages quote what they could not read. */
const QUOTING = /Syntax|Validation|Zod|Lex|Parse|InvalidRecord/;

/**
 * What may be written down of an error: what kind it is, where it happened, why, and the same of its
 * cause. Fields of its own, and what its message quotes, may be somebody's content or secret.
 */
export function loggedError(error: unknown, depth = 0): LoggedError {
  if (!(error instanceof Error)) return { type: typeof error };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  const places = error.stack?.split('\n').filter((line) => /^\s+at /.test(line));
  return {
    type: error.name,
    ...(!QUOTING.test(error.name) && { message: withoutQuotes(error.message) }),
    ...(code !== undefined && { code }),
    ...(places && { stack: places.join('\n') }),
    ...(error.cause !== undefined &&
      depth < MAX_CAUSES && { cause: loggedError(error.cause, depth + 1) }),
  };
}

function withoutQuotes(message: string): string {
  return message
    .replaceAll(/\?[^\s"']+/g, '?…')
    .replaceAll(/"[^"]*"/g, '"…"')
    .replaceAll(/eyJ[\w-]+\.[\w.-]+/g, '…')
    .slice(0, LONGEST_MESSAGE);
}
