import { bestMatches } from '../statistics/best-matches.js'
import type { Gallery } from '../run/gallery.js'
import { expectedRank } from '../statistics/query-ranks.js'
import type { Shown, WorstQuery } from '../report.js'
import type { RetrievalInput } from './retrieval-input.js'
import type { Way } from './retrieval-way.js'

const WORST = 12
const RETURNED = 5

interface Context {
  input: RetrievalInput
  galleries: { images: Gallery; captions: Gallery }
}

/** The queries whose right results come last, with what came instead; none of rows that have no names. */
export async function worstOfWay(
  { name, queries }: Way,
  { input, galleries }: Context
): Promise<{ title: string; queries: WorstQuery[] }> {
  const { imageIds, captionTexts, pairs } = input
  const isToImage = name === 'text_to_image'
  const title = isToImage ? 'Captions whose image came last' : 'Images whose captions came last'
  if (!imageIds || !captionTexts) return { title, queries: [] }
  const image = (row: number): Shown => ({ image: imageIds[row] })
  const caption = (row: number): Shown => ({ text: captionTexts[row] })
  const [from, to] = isToImage ? [pairs.captions, pairs.images] : [pairs.images, pairs.captions]
  const [showQuery, showResult] = isToImage ? [caption, image] : [image, caption]
  const worst = [...queries]
    .map(([row, rank]) => ({ row, rank: expectedRank(rank) }))
    .filter(({ rank }) => rank > 1)
    .sort((a, b) => b.rank - a.rank || a.row - b.row)
    .slice(0, WORST)
  const [asked, gallery] = isToImage
    ? [galleries.captions, galleries.images]
    : [galleries.images, galleries.captions]
  const returned = await bestMatches({ gallery: asked, rows: worst.map(({ row }) => row) }, gallery, RETURNED)
  return {
    title,
    queries: worst.map(({ row, rank }, i) => ({
      query: showQuery(row),
      expected: [...to.filter((_, pair) => from[pair] === row)].map(showResult),
      returned: returned[i].map(({ row, score }) => ({ shown: showResult(row), score })),
      rank
    }))
  }
}
