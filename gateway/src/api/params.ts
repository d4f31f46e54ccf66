import { type AtUri, type Boundary, isAtUri, isBoundary } from '@stratos/protocol';
import { ApiError } from '@stratos/schema';

/** Throws `BAD_USER_INPUT`. */
export function boundaryParam(value: string | undefined): Boundary | undefined {
  if (value === undefined || isBoundary(value)) return value;
  throw new ApiError('BAD_USER_INPUT', 'boundary must be {nodeDid}/{name}');
}

/** Throws `BAD_USER_INPUT`. */
export function uriParam(value: string): AtUri {
  if (isAtUri(value)) return value;
  throw new ApiError('BAD_USER_INPUT', 'uri must be the AT-URI of a record');
}
