import { basename } from 'node:path'
import { imageKind } from '../../files/image-types.js'
import { readLines } from '../../files/lines.js'
import { chooseSplit, type DatasetFault, splitOf } from './dataset.js'
import { addCaptions, captionedItems, captionFault, type Described, type Reader } from './image-finder.js'
import { fieldsOf, listOf, readJson } from './read-json.js'

/** COCO captions: https://cocodataset.org/#format-data. A file is read whole, with few bytes an image. */
export const openCoco: Reader = async ({ files: [path], images }) => ({
  kind: 'captions',
  async *items() {
    const document = await readJson(path)
    const faults: DatasetFault[] = []
    const described = new Map<unknown, Described>()
    for (const [i, { id, file_name: file }] of listOf(document, { key: 'images', path }).entries()) {
      if (id === undefined || typeof file !== 'string')
        faults.push({ name: `${basename(path)}: image ${i}`, reason: 'The image has no id or no file_name.' })
      else if (described.has(id))
        faults.push({ name: `${basename(path)}: image ${id}`, reason: 'Another image has the same id.' })
      else described.set(id, { files: [file], captions: [] })
    }
    for (const [i, { id, image_id: image, caption }] of listOf(document, {
      key: 'annotations',
      path
    }).entries()) {
      const known = described.get(image)
      const reason = known ? captionFault(caption) : `There is no image ${image}.`
      if (reason === undefined) known!.captions.push(caption as string)
      else faults.push({ name: `${basename(path)}: annotation ${id ?? i}`, reason })
    }
    yield* faults
    for (const [id, { files, captions }] of described) {
      if (captions.length > 0) continue
      yield { name: files[0], reason: 'The caption is missing.' }
      described.delete(id)
    }
    yield* captionedItems(described.values(), images)
  }
})

/**
 * Captions of Flickr8k and Flickr30k, a line each: `image,caption` (captions.txt, also as CLIP_benchmark has
 * it, with commas that nothing quotes), `image_name| comment_number| comment` (results.csv) and
 * `image#0<tab>caption` (*.token.txt). A caption is what is left of the line, so that lines can be read that
 * are no CSV. The first line is a header unless it names an image.
 */
export const openFlickr: Reader = async ({ files: [path], images }) => ({
  kind: 'captions',
  async *items() {
    const byImage = new Map<string, Described>()
    let shape: LineShape | undefined
    for await (const found of readLines(path)) {
      if ('reason' in found) {
        yield found
        continue
      }
      if (!shape) {
        shape = lineShape(found.text)
        if (shape.hasHeader) continue
      }
      const [, file, rest] = shape.pattern.exec(found.text) ?? []
      const caption = rest === undefined ? undefined : unquoted(rest.trim())
      const reason =
        file === undefined ? 'The line does not have an image and a caption.' : captionFault(caption)
      if (reason !== undefined) yield { name: `${basename(path)}:${found.line}`, reason }
      else addCaptions(byImage, unquoted(file.trim()), [caption!])
    }
    yield* captionedItems(byImage.values(), images)
  }
})

interface LineShape {
  /** Finds the file and the caption. */
  pattern: RegExp
  hasHeader: boolean
}

const TOKEN = /^([^\t]+?)#\d+\t(.*)$/

/** What a line of Flickr's original file of captions looks like. */
export function isTokenLine(line: string): boolean {
  return TOKEN.test(line)
}

/** Whether a line is of an image and of words about it: what a file without a header begins with. */
export function isCaptionLine(line: string): boolean {
  const [, , caption] = withoutHeader(line)?.pattern.exec(line) ?? []
  return caption !== undefined && /\S\s+\S/.test(caption)
}

/** The shape of lines that have no header, by the first of them; undefined where it names no image. */
function withoutHeader(first: string): LineShape | undefined {
  const [, file, delimiter] = /^("[^"]+"|[^|\t,]+)([|\t,])/.exec(first) ?? []
  if (file === undefined || !file.includes('.') || imageKind(unquoted(file.trim())) === 'other')
    return undefined
  const sign = delimiter === '|' ? '\\|' : delimiter
  // Between commas a number may begin the caption.
  const number = delimiter === ',' ? '' : `(?:\\s*\\d+\\s*${sign})?`
  return { pattern: new RegExp(`^("[^"]+"|[^${sign}]+)${sign}${number}(.*)$`), hasHeader: false }
}

function lineShape(first: string): LineShape {
  if (isTokenLine(first)) return { pattern: TOKEN, hasHeader: false }
  const headless = withoutHeader(first)
  if (headless) return headless
  const delimiter = ['|', '\t', ','].find((sign) => first.includes(sign)) ?? ','
  const fields = first.split(delimiter).length
  const sign = delimiter === '|' ? '\\|' : delimiter
  // What stands between the file and the caption is the caption's number.
  const between = `(?:[^${sign}]*${sign}){${fields - 2}}`
  return {
    pattern: new RegExp(`^("[^"]+"|[^${sign}]+)${sign}${fields > 2 ? between : ''}(.*)$`),
    hasHeader: true
  }
}

/** A field without the quotes of CSV around it; quotes that are the caption's own stay. */
function unquoted(field: string): string {
  return /^"(?:[^"]|"")*"$/.test(field) && field !== '""' ? field.slice(1, -1).replaceAll('""', '"') : field
}

/**
 * Karpathy's splits of COCO, Flickr8k and Flickr30k (Karpathy and Fei-Fei 2015). `restval` is part of the
 * training set, as is usual.
 */
export const openKarpathy: Reader = async ({ files: [path], images, split: wanted }) => {
  const read = async () =>
    listOf(await readJson(path), { key: 'images', path }).map(
      (image) => ({ ...image, split: nameOf(image.split) }) as Record<string, unknown> & { split: string }
    )
  let first: Awaited<ReturnType<typeof read>> | undefined = await read()
  const split = chooseSplit(
    first.map((image) => image.split),
    { wanted, path }
  )
  return {
    kind: 'captions',
    split: split ?? 'all',
    async *items() {
      const all = first ?? (await read())
      first = undefined
      for (const [i, image] of all.entries()) {
        if (split !== undefined && image.split !== split) continue
        const { filename, filepath } = image
        const captions = (Array.isArray(image.sentences) ? image.sentences : []).map(
          (sentence) => fieldsOf(sentence).raw
        )
        const reason =
          typeof filename !== 'string'
            ? 'The image has no filename.'
            : (captionFault(captions[0]) ?? captions.map(captionFault).find((fault) => fault !== undefined))
        if (reason !== undefined) yield { name: `${basename(path)}: ${filename ?? `image ${i}`}`, reason }
        else
          yield* captionedItems(
            [
              {
                files: [
                  ...(typeof filepath === 'string' ? [`${filepath}/${filename}`] : []),
                  filename as string
                ],
                captions: captions as string[]
              }
            ],
            images
          )
      }
    }
  }
}

function nameOf(split: unknown): string {
  return split === 'restval' ? 'train' : (splitOf(String(split)) ?? String(split))
}
