import type { TaskName } from '../report.js'

const WORDS: [RegExp, string][] = [
  [/\bmap\b/g, 'mAP'],
  [/\bmrr\b/g, 'mean reciprocal rank (MRR)'],
  [/\bece\b/g, 'calibration error (ECE)'],
  [/\bauroc\b/g, 'AUROC'],
  [/\bjpeg\b/gi, 'JPEG'],
  [/\bhnsw\b/gi, 'HNSW'],
  [/\brrf\b/gi, 'RRF'],
  [/\btop(\d+)\b/g, 'top-$1'],
  [/\bzero shot\b/gi, 'zero-shot'],
  [/\bfew shot\b/gi, 'few-shot'],
  [/\bmean per class\b/g, 'mean accuracy per class']
]

/** How each task is called, and the question that it answers. */
export const TASK_WORDS: Record<TaskName, { title: string; question: string }> = {
  retrieval: { title: 'Retrieval', question: 'Does a caption find its image, and an image its captions?' },
  'zero-shot': {
    title: 'Zero-shot classification',
    question: 'Is the class of an image told by the names of the classes alone?'
  },
  'few-shot': {
    title: 'Few-shot classification',
    question: 'How many labelled examples make a classifier better than the names of the classes?'
  },
  compositionality: {
    title: 'Compositionality',
    question:
      'Are captions told apart that use the same words in another arrangement, or that are only ' +
      'slightly wrong?'
  },
  'word-order': {
    title: 'Word order',
    question: 'Does a caption fit its image better than its own words shuffled?'
  },
  blind: {
    title: 'Blind baselines',
    question:
      'How well does it do without looking at the right image? What is right then is right for the ' +
      'wrong reason.'
  },
  robustness: {
    title: 'Robustness',
    question: 'How much is lost when images are compressed, blurred, turned or without colour?'
  },
  bias: {
    title: 'Bias',
    question: 'Do prompts that differ by a group of people alone fit images differently?'
  },
  fusion: { title: 'Fusion', question: 'Does it help to search by image and text together?' }
}

export interface NameParts {
  group: string
  measure: string
}

/** A figure's name in words: `text_to_image.recall@5` is Text to image, recall@5. */
export function nameParts(name: string): NameParts {
  const dot = name.lastIndexOf('.')
  const group = dot === -1 ? '' : name.slice(0, dot)
  const [, before, variant] = /^(.*?)(?:\[(.*)\])?$/s.exec(group) as unknown as [
    string,
    string,
    string | undefined
  ]
  const words = spoken(before)
  const aside = variant === undefined ? '' : ` (${variant.replaceAll('_', ' ')})`
  return {
    group: `${words.charAt(0).toUpperCase()}${words.slice(1)}${aside}`,
    measure: spoken(name.slice(dot + 1))
  }
}

/** As `nameParts`, in one line. */
export function spokenName(name: string): string {
  const { group, measure } = nameParts(name)
  return group === '' ? measure : `${group}: ${measure}`
}

/** A name that is made for programs, in words. */
export function spoken(part: string): string {
  return WORDS.reduce((text, [pattern, words]) => text.replaceAll(pattern, words), part.replaceAll('_', ' '))
}
