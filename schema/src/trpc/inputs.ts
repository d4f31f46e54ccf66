import { isAtUri, isBoundary } from '@stratos/protocol';
import { z } from 'zod';
import { isActor } from '../actor-input.ts';
import { MAX_PAGE_SIZE } from '../operations.ts';

const boundary = z.string().refine(isBoundary, 'not a boundary of the form {nodeDid}/{name}');
const uri = z.string().refine(isAtUri, 'not an AT-URI of a record');
const actor = z.string().refine(isActor, 'not a DID or handle');

/** Of the timeline. */
export const timelineInput = z
  .strictObject({
    /** Only posts of this boundary. */
    boundary: boundary.optional(),
    /** Posts in a page. */
    limit: z.int().min(1).max(MAX_PAGE_SIZE).optional(),
    /** Cursor of the page before. */
    cursor: z.string().max(1024).nullish(),
    /** What tRPC's infinite queries add; paging is forward only. */
    direction: z.literal('forward').optional(),
  })
  .default({});

export const authorFeedInput = timelineInput.unwrap().extend({ actor });

export const postInput = z.strictObject({ uri });
