import { dirname, isAbsolute, join, posix } from 'node:path'
import { typed } from '../../files/column-types.js'
import { tableRows, type Row } from '../../files/table-rows.js'
import { captionOf } from './captions.js'
import { idFault, type Found, type Source } from './item.js'
import { tableTypes, type TypeRules } from './table-types.js'

export interface TableOptions extends TypeRules {
  prefix: string
  textColumn?: string
}

/**
 * The rows of a CSV or TSV with a header. A column `file_name`, `path`, `image`, `file` or `filename` names
 * an image, from the table's folder; `text` or `caption` is the text, `id` the id (else the path, as it is
 * written); all others are metadata.
 */
export function tableSource(path: string, options: TableOptions): Source {
  return { items: rows(path, options) }
}

async function* rows(path: string, options: TableOptions): AsyncGenerator<Found> {
  const types = await tableTypes(path, options)
  const unseen = new Set(options.types?.keys())
  for await (const row of tableRows(path)) {
    if ('reason' in row) {
      yield row
      continue
    }
    for (const name of unseen) if (name in row.fields) unseen.delete(name)
    try {
      yield itemOf(path, row, { ...options, types })
    } catch (error) {
      yield { name: `${path}:${row.line}`, reason: (error as Error).message }
    }
  }
  for (const name of unseen)
    yield { name: path, reason: `No row has a value in the column '${name}', which --types names.` }
}

function itemOf(path: string, row: Row, { prefix, textColumn, types = new Map() }: TableOptions): Found {
  const { file, id: given, text, metadata } = captionOf(row, textColumn)
  const name =
    given ?? (file === undefined ? undefined : posix.normalize(file.replaceAll('\\', '/')).normalize())
  if (name === undefined) throw new Error('The row has neither an id nor a file.')
  if (file === undefined && text === undefined) throw new Error('The row has neither a file nor a text.')
  const id = prefix + name
  const fault = idFault(id)
  if (fault !== undefined) throw new Error(fault)
  return {
    id,
    ...(file !== undefined && { path: isAbsolute(file) ? file : join(dirname(path), file) }),
    ...(text !== undefined && { text }),
    ...(metadata && { metadata: typed(metadata, types) })
  }
}
