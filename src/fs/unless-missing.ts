/** Takes the rejection of a read of a file that is not there for undefined, and throws any other again. */
export function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}
