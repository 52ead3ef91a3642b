/** What names of images end with, that the service reads. */
const READ = new Set(['jpg', 'jpeg', 'jpe', 'jfif', 'png', 'webp', 'gif', 'tif', 'tiff', 'avif'])
/** Images that it does not read, of which one should hear. */
const NOT_READ = new Set([
  'heic',
  'heif',
  'svg',
  'bmp',
  'jxl',
  'jp2',
  'psd',
  'raw',
  'dng',
  'cr2',
  'cr3',
  'nef',
  'arw'
])

/** Whether a file is an image, by the end of its name. */
export function imageKind(name: string): 'read' | 'not-read' | 'other' {
  const end = name.slice(name.lastIndexOf('.') + 1).toLowerCase()
  return READ.has(end) ? 'read' : NOT_READ.has(end) ? 'not-read' : 'other'
}
