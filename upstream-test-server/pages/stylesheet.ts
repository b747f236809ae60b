// The one stylesheet of the test server's pages.
export const stylesheet = `
:root {
  color-scheme: light dark;
  --page: #f3f5f8; --card: #ffffff; --text: #1b2430; --quiet: #4f5b6b; --line: #7b8796;
  --accent: #1d5fb4; --on-accent: #ffffff; --bad: #a3161f; --bad-back: #fdecec;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #12161c; --card: #1c222b; --text: #e7ebf1; --quiet: #aeb8c5; --line: #76828f;
    --accent: #7db2f5; --on-accent: #0d1722; --bad: #ffa8a8; --bad-back: #3a1d20;
  }
}
* { box-sizing: border-box }
body {
  margin: 0; min-height: 100vh; padding: 1rem; display: grid; place-items: center;
  grid-template-columns: minmax(0, 1fr);
  background: var(--page); color: var(--text); font: 1rem/1.5 system-ui, sans-serif;
}
main {
  width: 100%; max-width: 24rem; padding: 1.5rem; background: var(--card);
  border: 1px solid var(--line); border-radius: 0.75rem; overflow-wrap: anywhere;
}
.issuer { margin: 0; color: var(--quiet); font-size: 0.875rem }
h1 { margin: 0 0 0.75rem; font-size: 1.5rem; line-height: 1.25 }
p { margin: 0 0 1rem }
label { display: block; margin-bottom: 0.25rem; font-weight: 600 }
input {
  width: 100%; min-height: 2.75rem; margin-bottom: 1rem; padding: 0.5rem 0.75rem; font: inherit;
  color: inherit; background: transparent; border: 1px solid var(--line); border-radius: 0.5rem;
}
input[aria-invalid='true'] { border: 2px solid var(--bad) }
.choice { display: flex; gap: 0.5rem; align-items: center; min-height: 2.75rem }
.choice input { width: 1.25rem; min-height: 1.25rem; margin: 0 }
.buttons { display: flex; flex-wrap: wrap; gap: 0.75rem }
button {
  flex: 1 1 8rem; min-height: 2.75rem; padding: 0.5rem 1rem; font: inherit; font-weight: 600;
  color: var(--accent); background: transparent; border: 1px solid var(--accent);
  border-radius: 0.5rem; cursor: pointer;
}
button.main { color: var(--on-accent); background: var(--accent) }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
.error {
  padding: 0.75rem; color: var(--bad); background: var(--bad-back);
  border-left: 4px solid var(--bad); border-radius: 0.25rem;
}
main.wide { max-width: 72rem; min-width: 0 }
.wide h2 { margin: 2rem 0 0.75rem; font-size: 1.25rem }
.wide h3 { margin: 0 0 0.5rem; font-size: 1rem }
.wide ul { margin: 0 0 1rem; padding-left: 1.25rem }
.wide input, select {
  width: 100%; min-height: 2.5rem; margin-bottom: 0.75rem; padding: 0.375rem 0.5rem; font: inherit;
  color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: 0.5rem;
}
.wide button { flex: 0 1 auto; min-height: 2.5rem }
a { color: var(--accent) }
a[aria-current] { font-weight: 600 }
.switches {
  display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr));
}
.switch { padding: 1rem; border: 1px solid var(--line); border-radius: 0.5rem }
#reset { padding: 0; border: 0 }
.pair { display: grid; gap: 1rem; align-content: start }
.inline { display: inline-block; margin: 0 0.5rem 0.25rem 0 }
.scroll { position: relative; margin-bottom: 1rem; overflow-x: auto }
table { width: 100%; border-collapse: collapse }
td, thead th { overflow-wrap: normal }
tbody th { min-width: 9rem }
.whole { white-space: nowrap }
th, td { padding: 0.375rem 0.75rem 0.375rem 0; text-align: left; border-bottom: 1px solid var(--line) }
.hidden {
  position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap;
}
`
