import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { Icon } from '../../icon.js'
import { droppedFiles, filesOf, pastedFiles, type PickedFile } from './picked-files.js'

/**
 * A place to drop, paste or choose pictures and whole folders of them. A drop counts wherever it falls on the
 * page.
 */
export function FileDrop({ onFiles, isSmall }: { onFiles: (files: PickedFile[]) => void; isSmall: boolean }) {
  const isOver = useSignal(false)
  const found = useSignal<number | undefined>(undefined)
  const problem = useSignal<string | undefined>(undefined)
  const take = async (dropped: AsyncGenerator<PickedFile>) => {
    const files: PickedFile[] = []
    problem.value = undefined
    try {
      for await (const file of dropped) {
        files.push(file)
        found.value = files.length
      }
    } catch (error) {
      problem.value = `Not all of it can be read: ${(error as Error).message}`
    }
    found.value = undefined
    onFiles(files)
  }
  useEffect(() => {
    const stop = new AbortController()
    const isFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false
    const listen = <K extends keyof WindowEventMap>(type: K, listener: (event: WindowEventMap[K]) => void) =>
      addEventListener(type, listener, { signal: stop.signal })
    listen('dragover', (event) => {
      if (!isFiles(event)) return
      event.preventDefault()
      isOver.value = true
    })
    listen('dragleave', ({ relatedTarget }) => {
      if (relatedTarget === null) isOver.value = false
    })
    listen('drop', (event) => {
      if (!isFiles(event)) return
      event.preventDefault()
      isOver.value = false
      void take(droppedFiles(event.dataTransfer!))
    })
    listen('paste', ({ clipboardData }) => {
      if (clipboardData?.files.length) onFiles(pastedFiles(clipboardData.files))
    })
    return () => stop.abort()
  }, [onFiles])
  return (
    <div class="file-drop" data-small={isSmall || undefined} data-over={isOver.value || undefined}>
      <Icon name="upload" />
      <p>
        {found.value === undefined
          ? 'Drop pictures or folders here, or paste a picture'
          : `Reading folders: ${found.value.toLocaleString('en')} files so far`}
      </p>
      <div class="row">
        <Choose onFiles={onFiles}>Choose files</Choose>
        <Choose onFiles={onFiles} isFolder>
          Choose a folder
        </Choose>
      </div>
      {problem.value && (
        <p class="wrong" role="alert">
          {problem.value}
        </p>
      )}
    </div>
  )
}

function Choose({
  onFiles,
  isFolder = false,
  children
}: {
  onFiles: (files: PickedFile[]) => void
  isFolder?: boolean
  children: string
}) {
  const input = useRef<HTMLInputElement>(null)
  return (
    <>
      <button type="button" onClick={() => input.current?.click()}>
        {children}
      </button>
      <input
        ref={input}
        type="file"
        hidden
        multiple
        accept={isFolder ? undefined : 'image/*,.txt'}
        {...(isFolder && { webkitdirectory: true })}
        data-kind={isFolder ? 'folder' : 'files'}
        onChange={({ currentTarget }) => {
          onFiles(filesOf(currentTarget))
          // The same files again are a change too.
          currentTarget.value = ''
        }}
      />
    </>
  )
}
