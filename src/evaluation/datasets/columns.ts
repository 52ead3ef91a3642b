import { FILE_COLUMNS, TEXT_COLUMNS } from '../../files/columns.js'

/** The columns that name an image. */
export const IMAGE_COLUMNS = [...FILE_COLUMNS, 'image_path', 'image_name', 'filepath', 'img']
/** The columns of what it shows, one or more captions. */
export const CAPTION_COLUMNS = [...TEXT_COLUMNS, 'captions', 'texts', 'comment', 'title', 'raw']
/** The columns of captions that are not true of it. */
export const NEGATIVE_COLUMNS = ['negatives', 'negative_caption', 'negative']
/** The columns of the class that it is of. */
export const LABEL_COLUMNS = ['label', 'class']
/** The columns of a pair. */
export const PAIR_COLUMNS = ['image_0', 'image_1', 'caption_0', 'caption_1']
