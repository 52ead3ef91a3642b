import { openGallery } from '../run/gallery.js'
import { openMatrices } from '../statistics/matrix.js'
import { rankPairs } from '../statistics/rank-pairs.js'
import { harmonicNumbers, rankQueries } from '../statistics/query-ranks.js'
import type { TaskReport } from '../report.js'
import type { Task, TaskOptions } from './task.js'
import { measureGraph } from './retrieval-graph.js'
import { prepareRetrieval, type RetrievalInput } from './retrieval-input.js'
import { measureWay, type Way } from './retrieval-way.js'
import { worstOfWay } from './retrieval-worst.js'

/**
 * Text-to-image and image-to-text retrieval among all items of a dataset: recall, median rank and mean
 * average precision, exact, and beside it what the HNSW graph loses of it.
 */
export const retrievalTask: Task<RetrievalInput> = {
  name: 'retrieval',
  kinds: ['captions', 'embeddings'],
  prepare: prepareRetrieval,
  measure: async (input, options) => {
    const [images, captions] = openMatrices(input.images, input.captions)
    try {
      const { pairs, imageWeights, captionWeights } = input
      const galleries = {
        images: openGallery(images, imageWeights),
        captions: openGallery(captions, captionWeights)
      }
      const ranked = await rankPairs(galleries.captions, galleries.images, pairs)
      const counts = { images: total(galleries.images.weight), captions: total(galleries.captions.weight) }
      const harmonic = harmonicNumbers(Math.max(counts.images, counts.captions))
      const ways: Way[] = [
        {
          name: 'text_to_image',
          candidates: counts.images,
          clusterOf: imageOfCaption(input),
          queries: rankQueries(pairs.captions, {
            scores: ranked.scores,
            standing: ranked.amongImages,
            harmonic
          }),
          rightOf: countBy(pairs.captions),
          harmonic
        },
        {
          name: 'image_to_text',
          candidates: counts.captions,
          clusterOf: (image) => image,
          queries: rankQueries(pairs.images, {
            scores: ranked.scores,
            standing: ranked.amongCaptions,
            harmonic
          }),
          rightOf: countBy(pairs.images),
          harmonic
        }
      ]
      const measured = ways.map((way) => measureWay(way, options))
      const graph = options.hasOwnGraph
        ? { figures: {}, flags: [], method: [] }
        : await measureGraph(input, { galleries, ways }, options)
      // In turn: what is read of a matrix holds until its next read.
      const worst: TaskReport['worst'] = []
      for (const way of ways) worst.push(await worstOfWay(way, { input, galleries }))
      const report: TaskReport = {
        task: 'retrieval',
        figures: Object.assign({}, ...measured.map(({ figures }) => figures), graph.figures),
        plots: [
          {
            title: 'Recall by the number of results looked at',
            x: 'results looked at (k)',
            y: 'recall@k',
            scale: 'log',
            curves: measured.map(({ curve }) => curve)
          }
        ],
        worst,
        flags: graph.flags,
        method: [...method(input, options, counts), ...graph.method]
      }
      return {
        report,
        perItem: Object.assign({}, ...measured.map(({ perItem }) => perItem)),
        clusters: Object.assign({}, ...measured.map(({ clusters }) => clusters))
      }
    } finally {
      images.close()
      captions.close()
    }
  }
}

function method(
  { duplicates, pairs }: RetrievalInput,
  options: TaskOptions,
  counts: { images: number; captions: number }
): string[] {
  const merged = duplicates.images + duplicates.captions > 0 && options.duplicates === 'merge'
  return [
    `${pairs.captions.length} true pairs of ${counts.captions} captions and ${counts.images} images; ` +
      'each caption is a query among all images, each image one among all captions.',
    'recall@k: a query counts if anything that is right is among its first k results (the definition ' +
      'of CLIP_benchmark). The rank is that of the best of what is right. mAP is over all that is right.',
    'Scores are cosines in float64; results that score the same are in random order, and measures are ' +
      'expectations over it (McSherry and Najork 2008).',
    merged
      ? `Images of the same bytes (${duplicates.images}) and captions of the same words ` +
        `(${duplicates.captions}) are one, and right for all that any of them is.`
      : 'Each image and each caption stands for itself, those of the same bytes or words too.',
    `Intervals are percentile bootstrap of ${options.resamples} samples; captions of one image are ` +
      'drawn together.'
  ]
}

/** Of each caption, the first of the images that it is true of. */
function imageOfCaption({ pairs }: RetrievalInput): (caption: number) => number {
  const images = new Map<number, number>()
  pairs.captions.forEach((caption, i) => images.has(caption) || images.set(caption, pairs.images[i]))
  return (caption) => images.get(caption)!
}

function countBy(keys: Uint32Array): Map<number, number> {
  const counts = new Map<number, number>()
  keys.forEach((key) => counts.set(key, (counts.get(key) ?? 0) + 1))
  return counts
}

function total(weights: Float64Array): number {
  return weights.reduce((sum, weight) => sum + weight, 0)
}
