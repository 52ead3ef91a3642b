/** Paths of 24 x 24 line icons, drawn for this. */
const PATHS = {
  search: 'M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13ZM15.5 15.5 20 20',
  tag: 'M4 4h7l9 9-7 7-9-9V4ZM8.5 8.5h.01',
  map:
    'M4.75 7a1.25 1.25 0 1 0 2.5 0 1.25 1.25 0 1 0-2.5 0ZM11.75 5a1.25 1.25 0 1 0 2.5 0 1.25 1.25 0 ' +
    '1 0-2.5 0ZM16.75 10a1.25 1.25 0 1 0 2.5 0 1.25 1.25 0 1 0-2.5 0ZM9.75 12a1.25 1.25 0 1 0 2.5 0 ' +
    '1.25 1.25 0 1 0-2.5 0ZM3.75 16a1.25 1.25 0 1 0 2.5 0 1.25 1.25 0 1 0-2.5 0ZM14.75 17a1.25 1.25 ' +
    '0 1 0 2.5 0 1.25 1.25 0 1 0-2.5 0Z',
  layers: 'M12 4 21 9l-9 5-9-5 9-5ZM4 13.5l8 4.5 8-4.5',
  add: 'M12 5v14M5 12h14',
  key: 'M8 15a4 4 0 1 1 3.5-5.9L20 9v3h-2v3h-3v-3h-3.5A4 4 0 0 1 8 15Z',
  'key-set': 'M8 15a4 4 0 1 1 3.5-5.9L20 9v3h-2v3h-3v-3h-3.5A4 4 0 0 1 8 15ZM13 19l2 2 5-5',
  sun:
    'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM12 2v3M12 19v3M2 12h3M19 12h3M5 5l2 2M17 17l2 2M19 5l-2 2M7 ' +
    '17l-2 2',
  moon: 'M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5Z',
  contrast: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18ZM12 3v18M12 7h6M12 12h9M12 17h6',
  docs: 'M6 3h9l4 4v14H6V3ZM14 3v5h5M9 12h7M9 16h7',
  image: 'M4 5h16v14H4V5ZM4 16l5-5 4 4 2-2 5 5M15.5 9h.01',
  warning: 'M12 4 22 20H2L12 4ZM12 10v5M12 17.5h.01',
  copy: 'M9 9h11v11H9V9ZM5 15H4V4h11v1',
  close: 'M6 6l12 12M18 6 6 18',
  minus: 'M6 12h12',
  similar: 'M4 4h9v9H4V4ZM11 11h9v9h-9v-9Z',
  filter: 'M4 5h16l-6 7v6l-4 2v-8L4 5Z',
  upload: 'M12 16V4M7 9l5-5 5 5M4 20h16',
  download: 'M12 4v12M7 11l5 5 5-5M4 20h16',
  refresh: 'M20 12a8 8 0 1 1-2.5-5.8M20 3v5h-5',
  trash: 'M5 7h14M9 7V4h6v3M7 7l1 13h8l1-13',
  back: 'M15 5l-7 7 7 7',
  forward: 'M9 5l7 7-7 7',
  check: 'M5 13l4 4L19 7',
  link: 'M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1'
}

export type IconName = keyof typeof PATHS

/** An icon beside words, or in a button that has a label. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg
      class="icon"
      viewBox="0 0 24 24"
      width="20"
      height="20"
      fill="none"
      stroke="currentColor"
      stroke-width="1.8"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  )
}
