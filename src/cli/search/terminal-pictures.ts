import sharp from 'sharp'
import type { Picture } from './thumbnails.js'

/** How a terminal takes pictures. */
export type PictureProtocol = 'kitty' | 'iterm2'

/** Lines that a picture takes. */
const ROWS = 8
/** Its height in pixels: enough for lines of 24 pixels. */
const HEIGHT = ROWS * 24
/** Most base64 in one escape sequence (kitty's graphics protocol, "Remote client"). */
const CHUNK = 4096

/**
 * What a terminal takes, by what it says of itself in the environment; undefined for those that show none.
 * Within tmux and screen escapes do not get through.
 */
export function pictureProtocol({
  TERM = '',
  TERM_PROGRAM = '',
  KITTY_WINDOW_ID,
  TMUX,
  LC_TERMINAL = ''
}: NodeJS.ProcessEnv): PictureProtocol | undefined {
  if (TMUX !== undefined || /^(screen|tmux)/.test(TERM)) return undefined
  if (KITTY_WINDOW_ID !== undefined || /^xterm-(kitty|ghostty)$/.test(TERM) || TERM_PROGRAM === 'ghostty')
    return 'kitty'
  return ['iTerm.app', 'WezTerm'].includes(TERM_PROGRAM) || LC_TERMINAL === 'iTerm2' ? 'iterm2' : undefined
}

/** Writes a picture to a terminal, on lines of its own. */
export async function showPicture(
  stream: NodeJS.WritableStream,
  { picture, protocol }: { picture: Picture; protocol: PictureProtocol }
): Promise<void> {
  // Both take PNG.
  const png = await sharp(picture.bytes)
    .resize({ height: HEIGHT, width: 4 * HEIGHT, fit: 'inside', withoutEnlargement: true })
    .png()
    .toBuffer()
  stream.write(`${protocol === 'kitty' ? kitty(png.toString('base64')) : iterm(png)}\n`)
}

function iterm(png: Buffer): string {
  const options = `inline=1;size=${png.length};height=${ROWS};preserveAspectRatio=1`
  return `\x1b]1337;File=${options}:${png.toString('base64')}\x07`
}

/** a=T: transmit and show; f=100: PNG; r: rows; q=2: no answer; m=1: more to come. */
function kitty(base64: string): string {
  const chunks = base64.match(new RegExp(`.{1,${CHUNK}}`, 'g')) ?? []
  return chunks
    .map((chunk, i) => {
      const first = i === 0 ? `a=T,f=100,r=${ROWS},q=2,` : ''
      return `\x1b_G${first}m=${i === chunks.length - 1 ? 0 : 1};${chunk}\x1b\\`
    })
    .join('')
}
