import { DEFAULT_HNSW } from '../collections/record.js'
import { resolveTemplates } from '../encoder/zero-shot.js'
import type { TaskOptions } from './tasks/task.js'

/** How an evaluation is done where nothing else is asked for. */
export const DEFAULT_OPTIONS: TaskOptions = {
  seed: 0,
  resamples: 1000,
  confidence: 0.95,
  templates: ['imagenet-7', 'imagenet-80'],
  duplicates: 'merge',
  hnsw: DEFAULT_HNSW
}

/** Throws TEMPLATE_INVALID for a set of templates that there is not. */
export function requireTemplates(templates: string[] = []): void {
  for (const template of templates) if (!template.includes('{label}')) resolveTemplates(template)
}
