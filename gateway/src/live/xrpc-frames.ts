import { lexParse } from '@atproto/lex-json';
import { ErrorFrame, MessageFrame } from '@atproto/xrpc-server';
import { CLOSE_REASONS, type CloseReason, type LiveEvent, type Visible } from '@stratos/schema';
import { quotedPost } from '../api/views.ts';
import { CURSOR_PLACE, Template } from './template.ts';

/** What the lexicon calls the ways in which a stream ends. */
const CLOSE_NAMES: Record<CloseReason, string> = {
  reconnect: 'Reconnect',
  sessionExpired: 'SessionExpired',
  accessLost: 'AccessLost',
  tooSlow: 'ConsumerTooSlow',
};

/** An event as a frame of an event stream, but for the cursor. */
export function frameOf(event: Visible<LiveEvent>): Template {
  return new Template(Buffer.from(toFrame(event).toBytes()));
}

function toFrame(event: Visible<LiveEvent>): MessageFrame | ErrorFrame {
  if (event.type === 'closed') {
    return new ErrorFrame({
      error: CLOSE_NAMES[event.reason],
      message: CLOSE_REASONS[event.reason],
    });
  }
  const { type, ...rest } = event;
  const body = 'post' in rest ? { post: quotedPost(rest.post) } : rest;
  const json = JSON.stringify({ cursor: CURSOR_PLACE, ...body });
  return new MessageFrame(lexParse(json), { type: `#${type}` });
}
