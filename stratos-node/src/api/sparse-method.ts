import { l } from '@atproto/lex-schema';

/**
 * The same method, quicker with what is optional and left out, as most of it is most of the time: for
 * each of these the framework would make an error, stack trace and all, only to drop it.
 */
export function sparseMethod(method: l.Query | l.Procedure): l.Query | l.Procedure {
  const { nsid, output, errors } = method;
  const parameters = l.params(sparse(method.parameters.shape));
  return method.type === 'query'
    ? l.query(nsid, parameters, output, errors)
    : l.procedure(nsid, parameters, sparsePayload(method.input), output, errors);
}

function sparsePayload({ encoding, schema }: l.Payload): l.Payload {
  const isObject = schema instanceof l.ObjectSchema;
  return l.payload(encoding, isObject ? l.object(sparse(schema.shape)) : schema);
}

function sparse<Shape extends Record<string, l.Validator>>(shape: Shape): Shape {
  const entries = Object.entries(shape).map(([name, validator]) => {
    const isOptional = validator instanceof l.OptionalSchema;
    return [name, isOptional ? new SparseSchema(validator.validator) : validator];
  });
  return Object.fromEntries(entries);
}

class SparseSchema<Validator extends l.Validator> extends l.OptionalSchema<Validator> {
  override validateInContext(input: unknown, ctx: l.ValidationContext) {
    const hasDefault = this.validator instanceof l.WithDefaultSchema;
    return input === undefined && !hasDefault
      ? ctx.success(input)
      : super.validateInContext(input, ctx);
  }
}
