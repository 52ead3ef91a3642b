import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useCallback } from 'preact/hooks'
import { loadCollections } from '../../collections.js'
import { Failure } from '../../failure.js'
import { formatNumber } from '../../format.js'
import { FileDrop } from './file-drop.js'
import { parseMetadata } from './metadata.js'
import { MetadataField, metadataProblem } from './metadata-field.js'
import { pairCaptions } from './pair-captions.js'
import type { PickedFile } from './picked-files.js'
import { UploadPanel } from './upload-panel.js'
import { startUploads, uploading, uploads } from './uploads.js'

interface FormProps {
  collection: string
  /** Whether something can be added there. */
  isReady: boolean
  /** Makes the collection, where it is new. */
  prepare: () => Promise<void>
  /** Where to. */
  children: ComponentChildren
}

/** Pictures by the file and the folder, with what goes for all of them. */
export function PictureForm({ collection, isReady, prepare, children }: FormProps) {
  const metadata = useSignal('')
  const withFolder = useSignal(false)
  const leftOut = useSignal<string[]>([])
  const problem = useSignal<unknown>(undefined)
  const onFiles = useCallback((files: PickedFile[]) => {
    const paired = pairCaptions(files)
    leftOut.value = paired.leftOut
    paired.pictures.forEach(uploads.add)
  }, [])
  const start = async () => {
    problem.value = undefined
    try {
      const target = { collection, metadata: parseMetadata(metadata.value), withFolder: withFolder.value }
      await prepare()
      await startUploads(target)
      await loadCollections()
    } catch (error) {
      problem.value = error
    }
  }
  void uploads.version.value
  const waiting = uploads.count('queued')
  return (
    <div class="add-grid">
      <div class="add-side">
        {children}
        <MetadataField
          text={metadata.value}
          label="Metadata for all of them"
          onChange={(text) => (metadata.value = text)}
        />
        <label class="check">
          <input
            type="checkbox"
            checked={withFolder.value}
            onChange={({ currentTarget }) => (withFolder.value = currentTarget.checked)}
          />{' '}
          Keep the folder of each file, too
        </label>
        <p class="hint">
          A picture's path is the id of its record: a second upload replaces the first. A <code>.txt</code> of
          the same name beside it is its text.
        </p>
      </div>
      <div class="add-main">
        <FileDrop onFiles={onFiles} isSmall={uploads.items.length > 0} />
        {leftOut.value.length > 0 && <LeftOut paths={leftOut.value} />}
        {problem.value !== undefined && <Failure error={problem.value} retry={() => void start()} />}
        {!uploading.value && waiting > 0 && (
          <button
            type="button"
            class="primary start"
            disabled={!isReady || metadataProblem(metadata.value) !== undefined}
            onClick={() => void start()}
          >{`Add ${formatNumber(waiting, 'picture')}${isReady ? ` to ${collection}` : ''}`}</button>
        )}
        <UploadPanel onStart={() => void start()} />
      </div>
    </div>
  )
}

/** Files that are neither pictures nor their texts. */
function LeftOut({ paths }: { paths: string[] }) {
  return (
    <p class="hint" role="status">
      {`Left out: ${formatNumber(paths.length, 'file')} that ` +
        `${paths.length === 1 ? 'is no picture' : 'are no pictures'} ` +
        `(${paths.slice(0, 3).join(', ')}${paths.length > 3 ? ', …' : ''})`}
    </p>
  )
}
