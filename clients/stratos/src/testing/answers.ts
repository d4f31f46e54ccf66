import type { Fetch } from '../http/request.ts';

/** What is answered under an address: JSON with status 200, or whatever is made for the request. */
export type Answers = Record<string, object | ((request: Request) => Response | Promise<Response>)>;

/** Services that answer what a test says, and 404 to everything else. They note what they are asked. */
export function answering(answers: Answers): { fetch: Fetch; asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    fetch: async (url, init) => {
      asked.push(url);
      init?.signal?.throwIfAborted();
      const answer = answers[url] ?? answers[url.split('?', 1)[0] ?? ''];
      if (answer === undefined) return Response.json({ error: 'NotFound' }, { status: 404 });
      if (typeof answer !== 'function') return Response.json(answer);
      return answer(new Request(url, init));
    },
  };
}
