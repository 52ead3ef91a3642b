import { Fragment } from 'preact'
import type { Collection } from '../../collections.js'
import { Download } from './download.js'

/** A collection in formats that others read. */
export function Exports({ collection: { name, images, texts } }: { collection: Collection }) {
  const path = `/v1/collections/${name}/export`
  return (
    <>
      <p class="hint">
        Records as lines of JSON, in the shape that a bulk load takes in. Embeddings as NumPy arrays, with the
        ids of their rows.
      </p>
      <div class="row">
        <Download path={path} fileName={`${name}.ndjson`}>
          Records
        </Download>
        <Download path={`${path}?images=true`} fileName={`${name}-with-images.ndjson`}>
          Records with pictures
        </Download>
        {(
          [
            ['image', images],
            ['text', texts]
          ] as const
        ).map(
          ([modality, count]) =>
            count > 0 && (
              <Fragment key={modality}>
                <Download
                  path={`${path}/${modality}.npy`}
                  fileName={`${name}-${modality}.npy`}
                >{`${modality}.npy`}</Download>
                <Download
                  path={`${path}/${modality}.ids`}
                  fileName={`${name}-${modality}.ids`}
                >{`${modality}.ids`}</Download>
              </Fragment>
            )
        )}
      </div>
    </>
  )
}
