import type { BoundaryName } from '../topology.ts';

export interface DemoPost {
  /** By which other posts refer to it. */
  readonly id: string;
  readonly author: string;
  readonly boundary: BoundaryName;
  readonly text: string;
  readonly replyTo?: string;
}

/** What the demo accounts tell each other first, in the order in which they write it. */
export const DEMO_POSTS: readonly DemoPost[] = [
  {
    id: 'charcoal',
    author: 'rei.test',
    boundary: 'swordsmith',
    text: 'New charcoal came in this morning. Pine, properly dry at last. The forge sings differently with it.',
  },
  {
    id: 'polish',
    author: 'sakura.test',
    boundary: 'swordsmith',
    text: 'Eleven days on the same blade with the finishing stone. Today the temper line came up like mist over a field.',
  },
  {
    id: 'polish-praise',
    author: 'rei.test',
    boundary: 'swordsmith',
    text: 'I walked past your bench and forgot what I had come for. Please show it to the apprentices before you wrap it.',
    replyTo: 'polish',
  },
  {
    id: 'shelf',
    author: 'kaoruko.test',
    boundary: 'aekea',
    text: 'The shelf is up. One bolt is left over, and I have decided that it was a gift.',
  },
  {
    id: 'lamp',
    author: 'kaoruko.test',
    boundary: 'aekea',
    text: 'Lesson of the week: put the lamp together before you switch off the only other light in the room.',
  },
  {
    id: 'cracked',
    author: 'haruki.test',
    boundary: 'swordsmith',
    text: 'My third blade cracked in the water. I kept the pieces: the grain at the break shows exactly where I hurried.',
  },
  {
    id: 'cracked-comfort',
    author: 'sakura.test',
    boundary: 'swordsmith',
    text: 'Everybody here has a drawer with such pieces in it. Mine is the bottom one. Come and look.',
    replyTo: 'cracked',
  },
  {
    id: 'fog',
    author: 'haruki.test',
    boundary: 'sailors',
    text: 'Left at four to catch the tide. Fog so thick that we steered by the bell of the church until the sun came.',
  },
  {
    id: 'knots',
    author: 'haruki.test',
    boundary: 'sailors',
    text: 'Whoever tied the dinghy last night: I admire that knot, I have drawn it, and I had to cut it.',
  },
  {
    id: 'water',
    author: 'rei.test',
    boundary: 'swordsmith',
    text: 'For those who asked: I quench when the steel has the colour of the moon in February, and I never talk while doing it.',
  },
];
