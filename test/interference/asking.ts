import type { Did } from '@stratos/protocol';
import type { Random } from '../random.ts';
import type { Model } from './model.ts';
import type { World } from './world.ts';

/** Who asks, and about what. */
export interface Asking {
  random: Random;
  model: Model;
  /** The world, or its twin: what is hidden may be asked for by its address. */
  world: World;
  viewer: Did;
  token: string;
  /** Of somebody else. */
  stranger: string;
}
