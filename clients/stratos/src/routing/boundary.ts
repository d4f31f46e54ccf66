import { InvalidInputError } from '../errors.ts';
import { type Did, isDid } from '../identifiers.ts';

/** A community of a node: `{nodeDid}/{name}`. */
export type Boundary = `${Did}/${string}`;

const MAX_LENGTH = 253;
const NAME = /^[a-z0-9\-_.]{1,100}$/;

export function isBoundary(value: unknown): value is Boundary {
  if (typeof value !== 'string' || value.length > MAX_LENGTH) return false;
  const slash = value.indexOf('/');
  return slash > 0 && isDid(value.slice(0, slash)) && NAME.test(value.slice(slash + 1));
}

/** The parts of a boundary. Throws {@link InvalidInputError} `InvalidBoundary`. */
export function parseBoundary(boundary: string): { node: Did; name: string } {
  const slash = boundary.indexOf('/');
  const node = boundary.slice(0, slash);
  if (isBoundary(boundary) && isDid(node)) return { node, name: boundary.slice(slash + 1) };
  throw new InvalidInputError('InvalidBoundary', `${boundary} is no boundary`);
}

/**
 * The node that has all of some boundaries. A record is in the repo of its author at one node, so it is
 * never for boundaries of several.
 *
 * @throws {@link InvalidInputError} `NoBoundary`, `InvalidBoundary`, `SeveralNodes`
 * @example
 * console.log(nodeOfBoundaries([`${nodeDid}/swordsmith`, `${nodeDid}/aekea`]) === nodeDid);
 */
export function nodeOfBoundaries(boundaries: readonly string[]): Did {
  const [node, ...others] = new Set(boundaries.map((boundary) => parseBoundary(boundary).node));
  if (!node) throw new InvalidInputError('NoBoundary', 'it is not said who may read it');
  if (others.length === 0) return node;
  throw new InvalidInputError('SeveralNodes', 'the boundaries are of several nodes');
}
