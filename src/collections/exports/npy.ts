/**
 * Alignment of what follows the header:
 * https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html.
 */
const ALIGNMENT = 64
const MAGIC = Buffer.from('\x93NUMPY\x01\x00', 'latin1')
const LENGTH_BYTES = 2

/** The header of a NumPy file, format 1.0, of a C-ordered float32 array of shape `[rows, columns]`. */
export function npyHeader(rows: number, columns: number): Buffer {
  const description = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${columns}), }`
  const before = MAGIC.length + LENGTH_BYTES
  const total = Math.ceil((before + description.length + 1) / ALIGNMENT) * ALIGNMENT
  const length = Buffer.alloc(LENGTH_BYTES)
  length.writeUInt16LE(total - before)
  return Buffer.concat([MAGIC, length, Buffer.from(`${description.padEnd(total - before - 1)}\n`, 'latin1')])
}
