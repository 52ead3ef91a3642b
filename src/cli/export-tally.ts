const NEWLINE = 0x0a

/** What the lines of an export have, counted as they pass. */
export interface ExportTally {
  add(chunk: Uint8Array): void
  lines: number
  /** Lines with an image. */
  images: number
  /** Lines with embeddings. */
  embeddings: number
}

export function exportTally(): ExportTally {
  // A line with an image is longer than a chunk: its parts are put together once.
  let parts: Uint8Array[] = []
  const tally: ExportTally = {
    lines: 0,
    images: 0,
    embeddings: 0,
    add: (chunk) => {
      let start = 0
      for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
        count(tally, Buffer.concat([...parts, chunk.subarray(start, end)]))
        parts = []
        start = end + 1
      }
      if (start < chunk.length) parts.push(chunk.subarray(start))
    }
  }
  return tally
}

function count(tally: ExportTally, line: Buffer): void {
  const record = JSON.parse(line.toString()) as { image?: object; embeddings?: object }
  tally.lines++
  if (record.image) tally.images++
  if (record.embeddings) tally.embeddings++
}
