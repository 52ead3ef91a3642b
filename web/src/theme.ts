import { effect, signal } from '@preact/signals'

const STORED_AS = 'semblance.theme'
const THEMES = ['system', 'light', 'dark'] as const
export type Theme = (typeof THEMES)[number]

/** As the system has it, or as the user wants it on this device. */
export const theme = signal<Theme>(
  THEMES.find((each) => each === localStorage.getItem(STORED_AS)) ?? 'system'
)

effect(() => {
  document.documentElement.dataset.theme = theme.value
  localStorage.setItem(STORED_AS, theme.value)
})

/** Goes on to the next theme. */
export function cycleTheme(): void {
  theme.value = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length]
}
