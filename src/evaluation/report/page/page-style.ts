import { curveColours, PLOT_STYLE } from '../plot.js'

const LIGHT = `
  --page: #f7f7f9;
  --surface: #fff;
  --sunken: #eeeef3;
  --line: #dcdce4;
  --line-strong: #8a8a99;
  --text: #1b1b22;
  --muted: #5a5a68;
  --accent: #4338ca;
  --danger: #b42318;
  --good: #067647;
  --warn: #93470b;
  --warn-tint: #fff6e5;
  --tint: #eef0ff;
  ${curveColours('light')};`
const DARK = `
  --page: #111217;
  --surface: #1a1c23;
  --sunken: #15161c;
  --line: #32353f;
  --line-strong: #7d8194;
  --text: #ececf1;
  --muted: #a6a8b5;
  --accent: #a5b4fc;
  --danger: #fda29b;
  --good: #75e0a7;
  --warn: #fdc47a;
  --warn-tint: #2b2316;
  --tint: #262a45;
  ${curveColours('dark')};`
/** Shades of the confusion matrix and what is written on them: none to all of a row. */
const SHADES = {
  light: ['#fff', '#eceafb', '#d5d2f5', '#bbb6ee', '#a19ae6', '#857cdd', '#695fd4', '#5347cc', '#4338ca'],
  dark: ['#1a1c23', '#262938', '#343a52', '#454d6d', '#57618a', '#6c78a8', '#808dc3', '#93a1df', '#a5b4fc']
}
/** Shades from which on text is light on the light theme, and dark on the dark one. */
const TURN = { light: 6, dark: 5 }

function shades(theme: 'light' | 'dark'): string {
  const [early, late] = theme === 'light' ? ['#1b1b22', '#fff'] : ['#ececf1', '#000']
  return SHADES[theme]
    .map((colour, i) => `.h${i}{background:${colour};fill:${colour};color:${i < TURN[theme] ? early : late}}`)
    .join('')
}

/** The look of the gallery, in both themes, on a phone and on paper. */
export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  font: 16px/1.55 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif;${LIGHT}
}
${shades('light')}
@media screen and (prefers-color-scheme: dark) {
  :root {${DARK}
  }
  ${shades('dark')}
}
*, ::before, ::after { box-sizing: border-box; }
html { scroll-padding-top: 1rem; -webkit-text-size-adjust: 100%; }
body {
  margin: 0 auto;
  padding: 2rem 1.25rem 4rem;
  max-width: 70rem;
  background: var(--page);
  color: var(--text);
  overflow-wrap: anywhere;
}
h1, h2, h3, h4, h5, p, ul, ol, figure, blockquote { margin: 0; padding: 0; }
ul, ol { list-style: none; }
h1 {
  font-size: clamp(1.6rem, 1.2rem + 1.6vw, 2.3rem);
  line-height: 1.15;
  letter-spacing: -0.02em;
  text-wrap: balance;
  margin: 0.75rem 0 0.4rem;
}
h2 { font-size: 1.5rem; line-height: 1.25; letter-spacing: -0.015em; }
h3 { font-size: 1.15rem; line-height: 1.3; letter-spacing: -0.01em; }
h4 { font-size: 1rem; margin: 1.75rem 0 0.4rem; }
a { color: var(--accent); text-underline-offset: 0.15em; }
code { font: 0.85em/1.4 ui-monospace, 'SF Mono', Menlo, Consolas, monospace; }
pre {
  margin: 0.75rem 0;
  padding: 0.7rem 0.9rem;
  background: var(--sunken);
  border-radius: 8px;
  white-space: pre-wrap;
}
.flag-name { white-space: nowrap; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
.muted { color: var(--muted); font-weight: 400; }
.hidden {
  position: absolute;
  width: 1px;
  height: 1px;
  overflow: hidden;
  clip-path: inset(50%);
  white-space: nowrap;
}
.brand { display: flex; align-items: center; gap: 0.5rem; font-weight: 600; font-size: 0.95rem; }
.icon { width: 26px; height: 26px; flex: none; }
main { display: grid; grid-template-columns: minmax(0, 1fr); gap: 2.5rem; margin-top: 1.75rem; }

.flags { display: grid; gap: 0.5rem; margin: 0.75rem 0; }
.flag {
  padding: 0.6rem 0.9rem;
  border: 1px solid var(--line);
  border-left: 4px solid var(--line-strong);
  border-radius: 6px;
  background: var(--surface);
}
.flag.warning { border-color: var(--warn); background: var(--warn-tint); }
.flag.warning strong { color: var(--warn); }

.headlines {
  display: grid;
  grid-template-columns: repeat(auto-fill, minmax(min(15.5rem, 100%), 1fr));
  gap: 0.75rem;
  margin-top: 0.75rem;
}
.headlines > li {
  display: flex;
  flex-direction: column;
  padding: 0.9rem 1.1rem 0.8rem;
  background: var(--surface);
  border: 1px solid var(--line);
  border-radius: 10px;
  font-size: 0.85rem;
}
.headlines h3 { font-size: 0.95rem; font-weight: 600; letter-spacing: 0; }
.headline { display: grid; margin: 0.45rem 0 0.2rem; font-variant-numeric: tabular-nums; }
.headline b {
  font-size: 1.6rem;
  line-height: 1.2;
  font-weight: 650;
  letter-spacing: -0.02em;
  margin-right: 0.2rem;
}
.headlines > li > p:last-child { margin-top: auto; }
.model { font-weight: 600; }
.key { font-size: 0.8rem; margin-top: 0.5rem; }
.strip { display: block; width: 120px; height: 14px; }
.headline .strip { width: 100%; max-width: 14rem; height: auto; }
.strip path { fill: none; stroke-linecap: round; }
.strip .track { stroke: var(--line); stroke-width: 2; }
.strip .range { stroke: var(--c); stroke-width: 4; opacity: 0.45; }
.strip .chance { stroke: var(--text); stroke-width: 1.5; stroke-linecap: butt; }
.strip circle { fill: var(--c); stroke: var(--surface); stroke-width: 1.5; }

.verdicts { margin-top: 1.75rem; }
.columns {
  display: grid;
  grid-template-columns: repeat(auto-fit, minmax(min(19rem, 100%), 1fr));
  align-items: start;
  gap: 0.75rem;
  margin: 0.5rem 0;
}
.columns section {
  padding: 0.9rem 1.1rem 1rem;
  background: var(--surface);
  border: 1px solid var(--line);
  border-top: 3px solid var(--line-strong);
  border-radius: 10px;
}
.columns .can { border-top-color: var(--good); }
.columns .cannot { border-top-color: var(--danger); }
.columns h4 { margin: 0 0 0.4rem; line-height: 1.35; }
.columns li { margin-top: 0.5rem; font-size: 0.92rem; line-height: 1.45; font-variant-numeric: tabular-nums; }
.verdicts > p { font-size: 0.85rem; }

nav > ul {
  display: flex;
  flex-wrap: wrap;
  gap: 0.4rem 2rem;
  padding: 0.9rem 1.1rem;
  background: var(--sunken);
  border-radius: 10px;
  font-size: 0.92rem;
}
nav > ul > li > a { font-weight: 600; }
nav ul ul { display: flex; flex-wrap: wrap; gap: 0 0.9rem; }

.dataset { padding-top: 1.5rem; border-top: 1px solid var(--line); }
.task {
  margin-top: 1.25rem;
  padding: 1.25rem 1.4rem 1.4rem;
  background: var(--surface);
  border: 1px solid var(--line);
  border-radius: 12px;
}
.question { color: var(--muted); margin: 0.15rem 0 0.75rem; max-width: 46rem; }
.prose {
  display: grid;
  gap: 0.4rem;
  margin: 0.6rem 0;
  padding-left: 1.1rem;
  max-width: 46rem;
  list-style: disc;
  font-size: 0.95rem;
}

.scroll { overflow-x: auto; margin: 0.6rem 0; position: relative; }
table { border-collapse: collapse; font-size: 0.9rem; line-height: 1.4; }
th, td {
  padding: 0.4rem 0.9rem 0.4rem 0;
  text-align: left;
  vertical-align: top;
  border-bottom: 1px solid var(--line);
  font-weight: 400;
}
th:last-child, td:last-child { padding-right: 0; }
thead th { color: var(--muted); font-size: 0.82rem; vertical-align: bottom; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
thead .number { white-space: normal; }
thead th, .figures th { overflow-wrap: break-word; }
.figures { width: 100%; }
.figures tbody th { min-width: 9rem; padding-left: 0.9rem; }
.figures .group th { padding: 0.9rem 0 0.3rem; font-weight: 600; }
.figures tbody .alone { padding-left: 0; }
.figures b { font-weight: 600; }
.figures .strip { margin-left: auto; margin-top: 0.1rem; }
#repeat tbody th { white-space: nowrap; font-weight: 600; }

.plots {
  display: grid;
  grid-template-columns: repeat(auto-fit, minmax(min(25rem, 100%), 1fr));
  gap: 1.5rem;
  margin-top: 1.25rem;
}
.plots figcaption { font-weight: 600; margin-bottom: 0.4rem; }
.plot { display: block; width: 100%; max-width: 34rem; height: auto; overflow: visible; }
details { margin-top: 0.75rem; font-size: 0.92rem; }
summary { cursor: pointer; color: var(--accent); width: fit-content; }

.side-by-side { display: flex; flex-wrap: wrap; gap: 0 3rem; }
.side-by-side > div { min-width: 0; }
.confusion {
  border-collapse: separate;
  border-spacing: 2px;
  font-size: 0.82rem;
  font-variant-numeric: tabular-nums;
}
.confusion th {
  border: 0;
  padding: 0.2rem 0.5rem;
  white-space: nowrap;
  color: var(--text);
  font-size: 0.82rem;
}
.confusion tbody th { text-align: right; }
.confusion thead th { padding: 0.3rem 0; vertical-align: bottom; text-align: center; }
.confusion thead span { writing-mode: vertical-rl; rotate: 180deg; max-height: 9rem; }
.confusion td {
  width: 2.3rem;
  min-width: 2.3rem;
  height: 2rem;
  padding: 0;
  text-align: center;
  vertical-align: middle;
  border: 0;
  border-radius: 5px;
}
.confusion .right { font-weight: 650; }
.matrix { display: block; max-width: none; }
.matrix text { fill: var(--text); font: 9px system-ui, sans-serif; }

.queries { display: grid; }
.queries li {
  display: grid;
  grid-template-columns: minmax(0, 12rem) minmax(0, 10rem) minmax(0, 1fr);
  gap: 0.5rem 1.5rem;
  padding: 0.9rem 0;
  border-bottom: 1px solid var(--line);
}
.queries li:last-child { border-bottom: 0; }
h5 { font-size: 0.8rem; font-weight: 400; color: var(--muted); margin-bottom: 0.35rem; }
.returned { display: flex; flex-wrap: wrap; gap: 0.6rem; }
.returned:has(.said) {
  display: grid;
  grid-template-columns: repeat(auto-fill, minmax(min(9rem, 100%), 1fr));
}
.thumb { width: 7rem; }
.returned .thumb { width: 6.2rem; }
.thumb img, .thumb .none {
  display: block;
  width: 100%;
  aspect-ratio: 1;
  object-fit: contain;
  background: var(--sunken);
  border-radius: 6px;
  outline: 1px solid var(--line);
  outline-offset: -1px;
}
.thumb .none {
  display: grid;
  place-items: center;
  padding: 0.4rem;
  font-size: 0.75rem;
  text-align: center;
  color: var(--muted);
}
.thumb + .thumb, .said + .said { margin-top: 0.4rem; }
.returned > .thumb, .returned > .said { margin-top: 0; }
figcaption { font-size: 0.8rem; color: var(--muted); font-variant-numeric: tabular-nums; }
.plots figcaption { font-size: 1rem; color: var(--text); }
.said { font-size: 0.95rem; line-height: 1.4; }
.returned .said { padding: 0.4rem 0.6rem; background: var(--sunken); border-radius: 6px; }
.said blockquote::before { content: '“'; }
.said blockquote::after { content: '”'; }
${PLOT_STYLE}

@media (max-width: 44rem) {
  body { padding: 1.25rem 0.75rem 3rem; }
  main { gap: 2rem; }
  .task { padding: 1rem 0.75rem; }
  .task table { font-size: 0.8rem; }
  .figures th, .figures td { padding-right: 0.45rem; }
  .figures tbody th { min-width: 4.5rem; padding-left: 0.3rem; }
  .figures :is(th, td):last-child { padding-right: 0; }
  .figures .strip { width: 96px; height: 11px; }
  .queries li { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); }
  .queries li > :last-child { grid-column: 1 / -1; }
  .returned .thumb { width: calc((100% - 1.2rem) / 3); }
  .headlines { grid-template-columns: repeat(auto-fill, minmax(min(9.5rem, 100%), 1fr)); }
  .headlines > li { padding: 0.75rem 0.8rem; }
  .headline b { font-size: 1.35rem; }
}
@media print {
  :root { font-size: 11px; }
  body {
    max-width: none;
    padding: 0;
    background: none;
    print-color-adjust: exact;
    -webkit-print-color-adjust: exact;
  }
  nav, details:not([open]) { display: none; }
  .task, .headlines > li, .columns section { break-inside: auto; }
  .headlines > li, .plots figure, .queries li, tr { break-inside: avoid; }
  h2, h3, h4 { break-after: avoid; }
  .scroll { overflow: visible; }
}`
