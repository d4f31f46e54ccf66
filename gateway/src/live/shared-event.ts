import type { LiveEvent, Visible } from '@stratos/schema';
import type { Template } from './template.ts';

/** What an event is written down as; undefined when it is not the same for all of its audience. */
export type Written = Template | undefined | Promise<Template | undefined>;

/** An event that is the same for all of an audience, written down once in each form that one wants. */
export class SharedEvent {
  readonly event: Visible<LiveEvent>;
  readonly #written = new Map<string, Written>();
  readonly #templates = new Map<string, Template>();

  constructor(event: Visible<LiveEvent>) {
    this.event = event;
  }

  /** What `write` makes of it, which is called once for each form. */
  as(form: string, write: (event: Visible<LiveEvent>) => Written): Written {
    if (!this.#written.has(form)) this.#written.set(form, write(this.event));
    return this.#written.get(form);
  }

  /** The same for a form that is the same for all. */
  template(form: string, write: (event: Visible<LiveEvent>) => Template): Template {
    const template = this.#templates.get(form) ?? write(this.event);
    this.#templates.set(form, template);
    return template;
  }
}
