/** Colours of curves in both themes, each at least 4.5 to 1 on the ground: c0, c1 and so on. */
const LIGHT = ['#4338ca', '#b45309', '#0f766e', '#be185d', '#4d7c0f', '#0369a1']
const DARK = ['#a5b4fc', '#fdba74', '#5eead4', '#f9a8d4', '#bef264', '#7dd3fc']

/** The variables of curves' colours, as declarations. */
export function curveColours(theme: 'light' | 'dark'): string {
  return (theme === 'light' ? LIGHT : DARK).map((colour, i) => `--c${i}:${colour}`).join(';')
}

/** How plots are drawn, by the variables --text, --muted, --line and those of curves. */
export const PLOT_STYLE = `
.plot text {
  fill: var(--muted);
  font: 12px system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif;
  font-variant-numeric: tabular-nums;
}
.plot .label { fill: var(--text); }
.plot g text { fill: var(--text); }
.plot path { fill: none; }
.plot .grid { stroke: var(--line); stroke-width: 1; }
.plot .axis, .plot .tick { stroke: var(--line-strong); stroke-width: 1; }
.plot .line { stroke: var(--c); stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.plot .reference { stroke-width: 1.5; stroke-dasharray: 5 5; }
.plot .band { fill: var(--c); opacity: 0.16; }
.plot .mark { fill: var(--c); }
${LIGHT.map((_, i) => `.c${i} { --c: var(--c${i}); }`).join(' ')}`
