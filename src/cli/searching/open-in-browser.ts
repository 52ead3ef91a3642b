import { spawn } from 'node:child_process'
import { pathToFileURL } from 'node:url'

/** Opens a file in the desktop's browser; where there is no desktop nothing is done. */
export function openInBrowser(file: string): void {
  const opener = openerOf(process.platform, process.env)
  if (!opener) return
  const [command, ...args] = opener
  // It stays open when the command has ended.
  spawn(command, [...args, pathToFileURL(file).href], { detached: true, stdio: 'ignore' })
    .once('error', () => undefined)
    .unref()
}

/** What opens an address on a platform. */
function openerOf(
  platform: NodeJS.Platform,
  { DISPLAY, WAYLAND_DISPLAY }: NodeJS.ProcessEnv
): string[] | undefined {
  if (platform === 'darwin') return ['open']
  if (platform === 'win32') return ['rundll32', 'url.dll,FileProtocolHandler']
  return DISPLAY || WAYLAND_DISPLAY ? ['xdg-open'] : undefined
}
