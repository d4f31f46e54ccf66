import { type AtUri, type Boundary, type Did, isAtUri, isBoundary, isDid } from '@stratos/protocol';
import { ApiError } from '@stratos/schema';

/** Throws `BAD_USER_INPUT`, as everything here does. */
export function boundaryParam(value: string): Boundary {
  if (isBoundary(value)) return value;
  throw new ApiError('BAD_USER_INPUT', 'boundary must be {nodeDid}/{name}');
}

export function optionalBoundaryParam(value: string | undefined): Boundary | undefined {
  return value === undefined ? undefined : boundaryParam(value);
}

export function uriParam(value: string): AtUri {
  if (isAtUri(value)) return value;
  throw new ApiError('BAD_USER_INPUT', 'uri must be the AT-URI of a record');
}

export function didParam(value: string): Did {
  if (isDid(value)) return value;
  throw new ApiError('BAD_USER_INPUT', 'did must be a DID');
}
