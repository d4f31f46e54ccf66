import type { ApiContext, LiveEvent, Visible } from '@stratos/schema';
import {
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  Kind,
  type OperationDefinitionNode,
  print,
  visit,
} from 'graphql';
import { revealDelivery } from '../access/reveal-event.ts';
import { toGraphqlError } from '../graphql/errors.ts';
import type { Logger } from '../logger.ts';
import type { Handed, PostStream } from './post-stream.ts';
import { CURSOR_PLACE, Template } from './template.ts';

/** Forms in which something is asked for that is each viewer's own. */
export type PersonalForms = Set<string>;

/**
 * A subscription and what was selected of its events.
 *
 * A selection that asks nothing of the viewer's operations is the same for a whole audience, and is run once
 * for all who selected it; any other for each by itself.
 */
export class GraphqlSubscription {
  readonly stream: PostStream;
  readonly #args: ExecutionArgs;
  readonly #form: string;
  readonly #personal: PersonalForms;
  readonly #logger: Logger;

  constructor(
    stream: PostStream,
    args: ExecutionArgs,
    { personal, logger }: { personal: PersonalForms; logger: Logger },
  ) {
    this.stream = stream;
    this.#args = args;
    this.#form = formOf(args);
    this.#personal = personal;
    this.#logger = logger;
  }

  /** The result for an event, as JSON. */
  write({ cursor, event }: Handed): Buffer | Promise<Buffer> {
    const template = this.#personal.has(this.#form)
      ? undefined
      : event.as(this.#form, (shared) => this.#writeForAll(shared));
    if (template instanceof Promise) {
      return template.then((made) => made?.with(cursor) ?? this.#writeForOne(cursor, event.event));
    }
    return template?.with(cursor) ?? this.#writeForOne(cursor, event.event);
  }

  #writeForAll(event: Visible<LiveEvent>): Template | undefined | Promise<Template | undefined> {
    let isPersonal = false;
    const { stream } = this;
    const result = this.#run(CURSOR_PLACE, event, {
      get operations() {
        isPersonal = true;
        return stream.operations();
      },
    });
    const toTemplate = (done: ExecutionResult) => {
      if (isPersonal) this.#personal.add(this.#form);
      return isPersonal ? undefined : new Template(this.#toJson(done));
    };
    return result instanceof Promise ? result.then(toTemplate) : toTemplate(result);
  }

  async #writeForOne(cursor: string, event: Visible<LiveEvent>): Promise<Buffer> {
    const operations = this.stream.operations();
    return this.#toJson(await this.#run(cursor, event, { operations }));
  }

  #run(
    cursor: string,
    event: Visible<LiveEvent>,
    contextValue: ApiContext,
  ): ExecutionResult | Promise<ExecutionResult> {
    const rootValue = revealDelivery(cursor, event);
    return execute({ ...this.#args, rootValue, contextValue });
  }

  #toJson({ data, errors }: ExecutionResult): Buffer {
    const masked = errors?.map((error) => toGraphqlError(error, this.#logger));
    return Buffer.from(JSON.stringify(masked ? { errors: masked, data } : { data }));
  }
}

/**
 * Equal for subscriptions whose events are written down alike: the document, the operation and the variables,
 * but for those that only say what is subscribed to.
 */
function formOf({ document, operationName, variableValues }: ExecutionArgs): string {
  const uses = new Map<string, number>();
  let atRoot: string[] = [];
  visit(document, {
    OperationDefinition: (operation) => {
      atRoot = [...atRoot, ...rootVariables(operation)];
    },
    Variable: ({ name: { value } }) => {
      uses.set(value, (uses.get(value) ?? 0) + 1);
    },
  });
  // Each is named once where it is defined, and once where it is used.
  const variables = Object.entries(variableValues ?? {}).filter(
    ([name]) => !(atRoot.includes(name) && uses.get(name) === 2),
  );
  return JSON.stringify([print(document), operationName ?? null, variables]);
}

/** Variables that are arguments of what is subscribed to. */
function rootVariables({ selectionSet }: OperationDefinitionNode): string[] {
  return selectionSet.selections.flatMap((selection) =>
    selection.kind === Kind.FIELD
      ? (selection.arguments ?? []).flatMap(({ value }) =>
          value.kind === Kind.VARIABLE ? [value.name.value] : [],
        )
      : [],
  );
}
