import type { Request, Response } from 'express';

type Answer =
  | { status: number; error: string; message: string }
  | { status: 200; did: string; message: string };

/** Ends an enrollment with a page for a browser, or JSON for anybody else. */
export function answer(req: Request, res: Response, outcome: Answer): void {
  const { status, ...body } = outcome;
  res.status(status).set({
    'Cache-Control': 'no-store',
    'Referrer-Policy': 'no-referrer',
    'Content-Security-Policy':
      "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
  });
  if (req.accepts(['json', 'html']) !== 'html') {
    res.json('did' in body ? { success: true, enrolled: true, ...body } : body);
    return;
  }
  const title = 'did' in body ? 'Enrolled' : 'Not enrolled';
  const who = 'did' in body ? `<p><code>${escapeHtml(body.did)}</code></p>` : '';
  res.type('html').send(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${title}</title>
<style>body{font:1.1rem/1.5 system-ui;max-width:32rem;margin:15vh auto;padding:0 1rem}</style></head>
<body><h1>${title}</h1><p>${escapeHtml(body.message)}</p>${who}</body></html>
`);
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
