import { ProofError } from '@stratos/protocol';
import { NodeError } from '../node-error.ts';

/** The refusal of a CAR. */
export function invalidCar(why: string, cause?: unknown): NodeError {
  return new NodeError('InvalidCar', why, { cause });
}

/** Has work on a CAR be refused with `InvalidCar` when it proves nothing. */
export async function provenOrInvalid<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ProofError)) throw error;
    throw invalidCar(error.message, error);
  }
}
