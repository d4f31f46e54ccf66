import { createRouter } from '@stratos/schema';
import { z } from 'zod';

/** A procedure of the router, for who tries it out. */
export interface ProcedureForm {
  name: string;
  type: string;
  /** JSON Schema of its input, absent when it takes none. */
  input?: object;
}

/** All procedures of the tRPC router, in its order. */
export function procedureForms(): ProcedureForm[] {
  return Object.entries(createRouter()._def.procedures).map(([name, { _def }]) => {
    const parsers: unknown[] = 'inputs' in _def && Array.isArray(_def.inputs) ? _def.inputs : [];
    const parser = parsers.find((each) => each instanceof z.ZodType);
    const input = parser && z.toJSONSchema(parser, { io: 'input', unrepresentable: 'any' });
    return { name, type: _def.type, ...(input && { input }) };
  });
}
