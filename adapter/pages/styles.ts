// The one stylesheet of the adapter's pages, under a path that changes with its content. Serving it belongs to server.ts.
import { createHash } from 'node:crypto'

const css = `
:root {
  color-scheme: light dark;
  --ground: #f3f4f1;
  --card: #ffffff;
  --line: #dfe2dc;
  --edge: #868f88;
  --text: #1d2420;
  --soft: #56605a;
  --accent: #17604f;
  --accent-over: #0f4b3d;
  --on-accent: #ffffff;
  --quiet-over: #eef1ec;
  --info: #1c5d86;
  --good: #17604f;
  --warn: #8a5300;
  --bad: #a3291f;
  --shadow: 0 1px 2px rgb(20 30 25 / 6%), 0 12px 32px -12px rgb(20 30 25 / 14%);
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #121513;
    --card: #1b1f1c;
    --line: #333a35;
  --edge: #727c75;
    --text: #e8ece8;
    --soft: #a7b1aa;
    --accent: #7fd1b9;
    --accent-over: #9be0cb;
    --on-accent: #0b231c;
    --quiet-over: #262b27;
    --info: #8cc4ea;
    --good: #7fd1b9;
    --warn: #eeb765;
    --bad: #f59c92;
    --shadow: 0 1px 2px rgb(0 0 0 / 40%);
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0;
  min-height: 100vh;
  min-height: 100dvh;
  display: grid;
  grid-template-rows: auto auto 1fr;
  justify-items: center;
  background: var(--ground);
  color: var(--text);
  font: 1rem/1.6 ui-sans-serif, system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', sans-serif;
  overflow-wrap: anywhere;
}
header, main, footer { width: 100%; max-width: 33rem; padding-inline: 1.25rem; }
header { padding-block: clamp(1.25rem, 8vh, 5rem) 1rem; }
.brand { display: flex; align-items: center; gap: .6rem; margin: 0; font-weight: 600; letter-spacing: -.01em; color: var(--soft); }
.brand svg { width: 1.9rem; height: 1.05rem; color: var(--accent); }
.card {
  background: var(--card);
  border: 1px solid var(--line);
  border-radius: 1rem;
  box-shadow: var(--shadow);
  padding: clamp(1.4rem, 5vw, 2.5rem);
}
.tone { display: block; width: 2.5rem; height: 2.5rem; margin-bottom: 1rem; }
.tone-info { color: var(--info); }
.tone-good { color: var(--good); }
.tone-warn { color: var(--warn); }
.tone-bad { color: var(--bad); }
h1 { margin: 0 0 .75rem; font-size: clamp(1.4rem, 1.2rem + 1.2vw, 1.75rem); line-height: 1.25; letter-spacing: -.02em; font-weight: 650; text-wrap: balance; }
h2 { margin: 1.75rem 0 .25rem; font-size: 1rem; line-height: 1.4; }
p { margin: 0 0 .75rem; text-wrap: pretty; }
.todo { color: var(--soft); }
a { color: var(--accent); text-underline-offset: .2em; }
a:hover { color: var(--accent-over); }
.actions { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1.75rem 0 0; padding: 0; list-style: none; }
.actions > * { flex: 1 1 auto; min-width: 0; }
.button {
  display: inline-flex;
  align-items: center;
  justify-content: center;
  width: 100%;
  min-height: 2.9rem;
  padding: .6rem 1.25rem;
  border: 1px solid var(--accent);
  border-radius: .65rem;
  background: var(--accent);
  color: var(--on-accent);
  font: inherit;
  font-weight: 600;
  line-height: 1.3;
  text-align: center;
  text-decoration: none;
  cursor: pointer;
  transition: background-color .15s, border-color .15s;
}
.button:hover { background: var(--accent-over); border-color: var(--accent-over); color: var(--on-accent); }
.button.quiet { background: transparent; border-color: var(--edge); color: var(--text); }
.button.quiet:hover { background: var(--quiet-over); color: var(--text); }
.button.choice { justify-content: space-between; padding-block: .85rem; text-align: start; }
.choices { display: grid; gap: .75rem; margin: 1.5rem 0 0; padding: 0; list-style: none; }
.email { display: grid; gap: .6rem; margin-top: 1.75rem; padding-top: 1.5rem; border-top: 1px solid var(--line); }
.email label { font-weight: 600; }
.email input { width: 100%; min-height: 2.9rem; padding: .6rem .85rem; border: 1px solid var(--edge); border-radius: .65rem; background: var(--card); color: var(--text); font: inherit; }
.email input[aria-invalid] { border-color: var(--bad); }
.code input { text-transform: uppercase; letter-spacing: .15em; font: 1.25rem ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace; }
.code .fault { text-transform: none; }
.user-code { margin-block: 1rem 1.25rem; padding: .9rem 1rem; border: 1px solid var(--line); border-radius: .65rem; text-align: center; }
.user-code code { font-size: clamp(1.5rem, 1.2rem + 2vw, 2.1rem); font-weight: 600; letter-spacing: .12em; white-space: nowrap; -webkit-user-select: all; user-select: all; }
.asks { margin: 1rem 0 1.25rem; padding-inline-start: 1.25rem; }
.asks li { margin-bottom: .5rem; }
.asks small { color: var(--soft); }
.fault { margin: 0; color: var(--bad); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; border-radius: .4rem; }
.button:focus-visible { border-radius: .65rem; }
details { margin-top: 1.75rem; padding-top: 1rem; border-top: 1px solid var(--line); font-size: .875rem; color: var(--soft); }
summary { display: flex; align-items: center; gap: .5rem; min-height: 1.75rem; cursor: pointer; width: fit-content; list-style: none; }
summary::-webkit-details-marker { display: none; }
summary::before { content: ''; width: .4rem; height: .4rem; border: solid currentColor; border-width: 0 2px 2px 0; transform: rotate(-45deg); transition: transform .15s; }
details[open] summary::before { transform: rotate(45deg); }
dl { display: grid; gap: .15rem; margin: .75rem 0 0; }
dt { font-weight: 600; color: var(--text); }
dd { margin: 0 0 .6rem; }
code { font: .92em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace; }
body.wide { grid-template-columns: minmax(0, 1fr); }
body.wide > * { max-width: 72rem; }
.table { margin-top: 1.75rem; overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-size: .875rem; overflow-wrap: normal; }
td { overflow-wrap: anywhere; min-width: 7rem; }
caption { padding-bottom: .35rem; font-size: 1rem; font-weight: 600; text-align: start; }
th, td { padding: .45rem .9rem .45rem 0; border-bottom: 1px solid var(--line); text-align: start; vertical-align: top; }
thead th { color: var(--soft); }
.subject-change { margin-block: 1.25rem; padding: .9rem 1.1rem .4rem; border: 2px solid var(--bad); border-radius: .65rem; }
.json { margin: .75rem 0 0; padding: .75rem 1rem; border: 1px solid var(--line); border-radius: .65rem; overflow-x: auto; color: var(--text); font: .92em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace; }
footer { padding-block: 1.25rem 2.5rem; font-size: .875rem; color: var(--soft); }
footer p { margin: 0; }
.flow-id { padding: .15rem .4rem; border: 1px solid var(--line); border-radius: .4rem; background: var(--card); color: var(--text); -webkit-user-select: all; user-select: all; }
@media (max-width: 26rem) {
  .actions { flex-direction: column; }
}
@media (prefers-reduced-motion: reduce) {
  * { transition: none !important; animation: none !important; }
}
@media (forced-colors: active) {
  .card, .button { border: 1px solid; }
}
`

const body = css.trim().replaceAll(/\n\s*/g, '\n').concat('\n')
const digest = createHash('sha256').update(body).digest('hex').slice(0, 16)

/** `GET path` answers `body` as text/css; it never changes under this path. */
export const stylesheet = {
  path: `/assets/style-${digest}.css`,
  body,
  etag: `"${digest}"`,
  headers: {
    'content-type': 'text/css; charset=utf-8',
    'cache-control': 'public, max-age=31536000, immutable',
  },
} as const
