/** The columns that name a file, the first of them that a table has. */
export const FILE_COLUMNS = ['file_name', 'path', 'image', 'file', 'filename']
/** The columns that are its text. */
export const TEXT_COLUMNS = ['text', 'caption']

/** What the cells of a column of CSV or TSV become in metadata. */
export type ColumnType = 'string' | 'number' | 'boolean'
export const COLUMN_TYPES: ColumnType[] = ['string', 'number', 'boolean']
