/** An identifier (DID, AT-URI, CID, TID) that is not of its syntax. */
export class InvalidIdentifierError extends Error {
  override name = 'InvalidIdentifierError';
}

/** A boundary, or a record's list of boundaries, that is not of its syntax. */
export class InvalidBoundaryError extends Error {
  override name = 'InvalidBoundaryError';
}

/** Why something that claims to be proven is not. */
export type ProofFailure =
  | 'malformed'
  | 'not-canonical'
  | 'wrong-cid'
  | 'wrong-service'
  | 'wrong-actor'
  | 'bad-signature'
  | 'broken-chain'
  | 'not-increasing'
  | 'in-the-future'
  | 'not-continuous'
  | 'not-included'
  | 'wrong-boundary';

/** A proof that does not hold. Its message never carries content of a record. */
export class ProofError extends Error {
  override name = 'ProofError';
  readonly reason: ProofFailure;

  constructor(reason: ProofFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** Who a caller is could not be proven. Maps to HTTP 401 `AuthRequired`. */
export class AuthRequiredError extends Error {
  override name = 'AuthRequiredError';
}
