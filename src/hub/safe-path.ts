/** Control characters too: they could write over a terminal's lines. */
const FORBIDDEN = /[\\\u0000-\u001f\u007f-\u009f]/

/** Whether a path that others wrote stays in the folder it is joined to, on every platform. */
export function isSafePath(path: string): boolean {
  return (
    !FORBIDDEN.test(path) &&
    !/^[a-z]:/i.test(path) &&
    path.split('/').every((part) => !['', '.', '..'].includes(part))
  )
}
