/**
 * What this library throws. `code` stays the same between versions; `message` is for who develops the app.
 * What the app's own OAuth library throws comes through as it is.
 */
export class StratosError extends Error {
  override name = 'StratosError';
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** What the app asked for cannot be done. Nothing was sent. */
export class InvalidInputError extends StratosError {
  override name = 'InvalidInputError';
  declare readonly code:
    | 'InvalidBoundary'
    | 'InvalidDid'
    | 'InvalidImage'
    | 'InvalidUri'
    | 'NoBoundary'
    | 'OtherNode'
    | 'OtherPerson'
    | 'SeveralNodes'
    | 'TooLong'
    | 'TooMany';
}

/** A DID, or the service that it should name, is not there. */
export class NotFoundError extends StratosError {
  override name = 'NotFoundError';
  declare readonly code: 'DidNotFound' | 'NodeNotFound' | 'PdsNotFound';
}

/**
 * Nobody answered, not in time, or not in the way that was agreed. The same call may work later; whether a
 * write was done is not known.
 */
export class UnreachableError extends StratosError {
  override name = 'UnreachableError';
  declare readonly code: 'Unreachable' | 'TimedOut' | 'BadAnswer';
}

export interface Refusal {
  status: number;
  /** `error` of the answer, such as `ForbiddenBoundary`. */
  code: string;
  message: string;
  /** When to ask again, where the answer says so. */
  retryAfterSeconds?: number | undefined;
}

/** A service answered that it does not do this. */
export class RefusedError extends StratosError {
  override name = 'RefusedError';
  readonly status: number;
  readonly retryAfterSeconds: number | undefined;

  constructor({ status, code, message, retryAfterSeconds }: Refusal) {
    super(code, message);
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
