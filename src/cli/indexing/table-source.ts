import { dirname, isAbsolute, join, posix } from 'node:path'
import { tableRows } from '../../files/table-rows.js'
import { captionOf } from './captions.js'
import { idFault, type Found, type Source } from './item.js'

/**
 * The rows of a CSV or TSV with a header. A column `file_name`, `path`, `image`, `file` or `filename` names an image, from the
 * table's folder; `text` or `caption` is the text, `id` the id (else the path, as it is written); all others are metadata.
 */
export function tableSource(path: string, { prefix, textColumn }: { prefix: string; textColumn?: string }): Source {
  return { items: rows(path, { prefix, textColumn }) }
}

async function* rows(path: string, { prefix, textColumn }: { prefix: string; textColumn?: string }): AsyncGenerator<Found> {
  for await (const row of tableRows(path)) {
    if ('reason' in row) {
      yield row
      continue
    }
    const { file, id: given, text, metadata } = captionOf(row, textColumn)
    const name = given ?? (file === undefined ? undefined : posix.normalize(file.replaceAll('\\', '/')).normalize())
    const id = name === undefined ? undefined : prefix + name
    const fault = id === undefined ? 'The row has neither an id nor a file.' : file === undefined && text === undefined ? 'The row has neither a file nor a text.' : idFault(id)
    if (fault !== undefined) yield { name: `${path}:${row.line}`, reason: fault }
    else yield { id: id!, ...(file !== undefined && { path: isAbsolute(file) ? file : join(dirname(path), file) }), ...(text !== undefined && { text }), ...(metadata && { metadata }) }
  }
}
