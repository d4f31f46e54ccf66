import { isPlainObject, type LexMap, type LexValue } from '@atproto/lex-data';
import {
  type Boundary,
  boundaryNode,
  type Did,
  isBoundary,
  qualifyBoundary,
} from '@stratos/protocol';
import { NodeError } from '../node-error.ts';

/** What becomes of boundaries of another node, by boundary. */
export type BoundaryMapping = ReadonlyMap<Boundary, Boundary>;

/**
 * Reads `{from}={to}`, both qualified.
 *
 * @throws {@link NodeError} `InvalidRequest`, or `InvalidBoundary` where `to` is not of this node
 */
export function parseBoundaryMapping(
  pairs: readonly string[],
  node: { serviceDid: Did; boundaries: readonly Boundary[] },
): BoundaryMapping {
  const mapping = new Map<Boundary, Boundary>();
  for (const pair of pairs) {
    const [from, to, ...rest] = pair.split('=');
    if (!isBoundary(from) || !isBoundary(to) || rest.length > 0 || mapping.has(from)) {
      throw new NodeError('InvalidRequest', 'boundaries must be {from}={to}, each {from} once');
    }
    if (boundaryNode(to) !== node.serviceDid || !node.boundaries.includes(to)) {
      throw new NodeError('InvalidBoundary');
    }
    mapping.set(from, to);
  }
  return mapping;
}

/**
 * The record with its boundaries mapped, each once; the same record if nothing changes.
 *
 * @param source - the node that bare boundaries are read as those of
 */
export function mapBoundaries(record: LexMap, mapping: BoundaryMapping, source: Did): LexMap {
  const { boundary } = record;
  if (!isPlainObject(boundary) || !Array.isArray(boundary['values'])) return record;
  const values = boundary['values'];
  const mapped = values.map((item) => mapOne(item, mapping, source));
  if (mapped.every((item, i) => item === values[i])) return record;
  const named = new Map(mapped.map((item) => [JSON.stringify(item), item]));
  return { ...record, boundary: { ...boundary, values: [...named.values()] } };
}

function mapOne(item: LexValue, mapping: BoundaryMapping, source: Did): LexValue {
  if (!isPlainObject(item) || typeof item['value'] !== 'string') return item;
  const value = qualified(item['value'], source);
  const next = mapping.get(value as Boundary) ?? value;
  return next === item['value'] ? item : { ...item, value: next };
}

/** What is no boundary at all stays as it is, to be refused like any other. */
function qualified(value: string, source: Did): string {
  if (value.includes('/')) return value;
  try {
    return qualifyBoundary(source, value);
  } catch {
    return value;
  }
}
