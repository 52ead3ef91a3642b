import type { Legend as LegendOf } from './colors.js'

interface LegendProps {
  legend: LegendOf
  /** The value that alone is shown, if one is. */
  only: string
  onOnly: (value: string) => void
}

/** What the colours mean. A value that is pressed is shown alone. */
export function Legend({ legend, only, onOnly }: LegendProps) {
  if (legend.kind === 'scale') {
    return (
      <div class="map-scale" role="img" aria-label={`Colours from ${legend.least} to ${legend.most}`}>
        <span>{legend.least}</span>
        <span class="map-scale-bar" />
        <span>{legend.most}</span>
      </div>
    )
  }
  return (
    <ul class="map-legend" aria-label="Colours">
      {legend.entries.map(({ value, color, points }) => (
        <li key={value}>
          <button
            type="button"
            aria-pressed={only === value}
            onClick={() => onOnly(only === value ? '' : value)}
          >
            <svg width="12" height="12" aria-hidden="true">
              <circle cx="6" cy="6" r="6" fill={color} />
            </svg>
            <span class="map-legend-value">{value}</span>
            <span class="muted number">{points.toLocaleString('en')}</span>
          </button>
        </li>
      ))}
    </ul>
  )
}
