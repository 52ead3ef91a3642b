/**
 * A file with its path inside what was picked: `beach/1.jpg` of a folder, the name alone of a single file.
 */
export interface PickedFile {
  path: string
  file: File
}

/** The files of an input; those of a folder have their paths in it. */
export function filesOf(input: HTMLInputElement): PickedFile[] {
  return [...(input.files ?? [])].map((file) => ({ path: file.webkitRelativePath || file.name, file }))
}

/** Files that are pasted. A picture of the clipboard has no name of its own, so that it gets the time. */
export function pastedFiles(files: Iterable<File>): PickedFile[] {
  const time = new Date().toISOString().replace(/[:.]/g, '-')
  return [...files].map((file, place) => ({
    path: /^image\.\w+$/.test(file.name)
      ? `pasted-${time}${place > 0 ? `-${place}` : ''}.${file.name.split('.')[1]}`
      : file.name,
    file
  }))
}

/**
 * The files of a drop, with those in its folders at any depth. The drop is read before this returns for the
 * first time: later it is empty.
 */
export function droppedFiles(drop: DataTransfer): AsyncGenerator<PickedFile> {
  const entries = [...drop.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null)
  return walk(entries)
}

async function* walk(entries: FileSystemEntry[]): AsyncGenerator<PickedFile> {
  for (const entry of entries) {
    if (entry.isFile) {
      const file = await new Promise<File>((resolve, reject) =>
        (entry as FileSystemFileEntry).file(resolve, reject)
      )
      yield { path: entry.fullPath.replace(/^\//, ''), file }
    } else if (entry.isDirectory) yield* walk(await entriesOf(entry as FileSystemDirectoryEntry))
  }
}

async function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader()
  const entries: FileSystemEntry[] = []
  // A folder is read a hundred at a time, until none come.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject)
    )
    if (some.length === 0) return entries
    entries.push(...some)
  }
}
