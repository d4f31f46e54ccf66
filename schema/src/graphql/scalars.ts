import {
  InvalidBoundaryError,
  InvalidIdentifierError,
  toAtUri,
  toBoundary,
  toCid,
  toDid,
} from '@stratos/protocol';
import { GraphQLError } from 'graphql';
import type { Builder } from './builder.ts';

/** The scalars of AT Protocol. What is not of their syntax is `BAD_USER_INPUT`. */
export function addScalars(builder: Builder): void {
  builder.scalarType('AtUri', {
    description: 'The address of a record, `at://{did}/{collection}/{rkey}`.',
    serialize: (value) => value,
    parseValue: parse(toAtUri),
  });
  builder.scalarType('Boundary', {
    description:
      'A named audience of one node, `{nodeDid}/{name}`. Only its members read what is posted to it.',
    serialize: (value) => value,
    parseValue: parse(toBoundary),
  });
  builder.scalarType('Cid', {
    description: 'The hash of a record, by which anybody can check that it is unchanged.',
    serialize: (value) => value,
    parseValue: parse(toCid),
  });
  builder.scalarType('DateTime', {
    description: 'A moment, in RFC 3339.',
    serialize: (value) => value,
    parseValue: parse(String),
  });
  builder.scalarType('Did', {
    description: 'The permanent identifier of a person or a service.',
    serialize: (value) => value,
    parseValue: parse(toDid),
  });
  builder.scalarType('JSON', {
    description: 'Any JSON value; links and bytes as AT Protocol writes them (`$link`, `$bytes`).',
    serialize: (value) => value,
    parseValue: () => {
      throw badInput('JSON is for output only');
    },
  });
}

function parse<T>(to: (value: unknown) => T) {
  return (value: unknown): T => {
    try {
      return to(value);
    } catch (error) {
      if (error instanceof InvalidIdentifierError || error instanceof InvalidBoundaryError) {
        throw badInput(error.message);
      }
      throw error;
    }
  };
}

function badInput(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } });
}
