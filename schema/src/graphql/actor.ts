import type { ActorView } from '../views.ts';
import type { Builder } from './builder.ts';

export function addActor(builder: Builder) {
  return builder.objectRef<ActorView>('Actor').implement({
    description: 'A person on AT Protocol.',
    fields: (t) => ({
      did: t.expose('did', { type: 'Did', description: 'Their permanent identifier.' }),
      handle: t.exposeString('handle', {
        description: 'Their handle, or `handle.invalid` while none is verified.',
      }),
    }),
  });
}

export type ActorRef = ReturnType<typeof addActor>;
