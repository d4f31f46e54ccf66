import type { ViewerView, Visible } from '@stratos/schema';
import { revealViewer } from '../access/reveal.ts';
import type { Request } from './request.ts';

export async function viewer(request: Request): Promise<Visible<ViewerView>> {
  const [scope, { handle }] = await Promise.all([
    request.read(async (_, scope) => scope),
    request.authors.load(request.viewer),
  ]);
  return revealViewer(scope, handle);
}
