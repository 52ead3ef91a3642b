import type { Corruption } from '../embedding/embedder.js'

/** One kind of corruption, from weak to strong. */
export interface CorruptionSeries {
  kind: Exclude<Corruption['kind'], 'constant'>
  /** Its axis in a plot, and where the image as it is stands on it. */
  axis?: { title: string; label: string; clean: number }
  steps: { name: string; severity: number; corruption: Corruption }[]
}

const steps = (name: string, severities: number[], corruption: (severity: number) => Corruption) =>
  severities.map((severity) => ({ name: `${name} ${severity}`, severity, corruption: corruption(severity) }))

/** What images meet on their way: saved again and again, blurred, turned, without their colours. */
export const CORRUPTIONS: CorruptionSeries[] = [
  {
    kind: 'jpeg',
    axis: { title: 'JPEG', label: 'quality (100: as it is)', clean: 100 },
    steps: steps('jpeg', [75, 50, 25, 10], (quality) => ({ kind: 'jpeg', quality }))
  },
  {
    kind: 'blur',
    axis: { title: 'Blur', label: 'sigma in pixels of 224', clean: 0 },
    steps: steps('blur', [1, 2, 4], (sigma) => ({ kind: 'blur', sigma }))
  },
  {
    kind: 'rotation',
    axis: { title: 'Rotation', label: 'degrees', clean: 0 },
    steps: steps('rotation', [10, 30, 90, 180], (degrees) => ({ kind: 'rotation', degrees }))
  },
  { kind: 'grey', steps: [{ name: 'grey', severity: 1, corruption: { kind: 'grey' } }] }
]
