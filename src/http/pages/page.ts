import { escapeHtml } from '../../escape-html.js';

/**
 * A page for whoever follows a link in a letter: it loads nothing, runs nothing, and can be read at any size, in the dark and by a
 * screen reader.
 */
export function htmlPage(page: { readonly language: string; readonly title: string; readonly body: string }): string {
  return `<!doctype html>
<html lang="${page.language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${escapeHtml(page.title)}</title>
<style>${PAGE_STYLE}</style>
</head>
<body><main>
${page.body}
</main></body>
</html>
`;
}

const PAGE_STYLE = `:root{color-scheme:light dark}
body{margin:0;padding:2rem 1rem;font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,Helvetica,Arial,sans-serif}
main{max-width:36em;margin:0 auto}
h1{font-size:1.4rem;line-height:1.3}
label{display:block;margin:1rem 0 .25rem}
textarea{width:100%;box-sizing:border-box;font:inherit;padding:.5rem}
button{font:inherit;font-weight:600;padding:.6rem 1.2rem;margin:1rem .5rem 0 0;min-height:2.75rem;cursor:pointer}
.quiet{margin-top:2rem;opacity:.8}`;

/** What a browser may do on these pages: send their own form, and nothing else. */
export const PAGE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  // The address of the page is all that is needed to answer in the customer's place.
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
} as const;
