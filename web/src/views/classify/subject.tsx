import { ImageInput } from '../../image-input.js'
import { ownPicture, useObjectUrl } from './use-subject.js'

interface SubjectProps {
  bytes: Blob | undefined
  /** The id of the record that the picture is of; empty for an own one. */
  record: string
  onOwn: () => void
}

/** The picture that is classified, and where another one is put in. */
export function Subject({ bytes, record, onOwn }: SubjectProps) {
  const url = useObjectUrl(bytes)
  const name = record || (bytes instanceof File ? bytes.name : '')
  return (
    <section class="classify-subject" aria-label="Picture">
      {bytes && (
        <figure>
          <img src={url} alt={`The picture to classify: ${name}`} />
          <figcaption class="muted">
            {record ? (
              <>
                Record <code>{record}</code>
              </>
            ) : (
              name
            )}
          </figcaption>
        </figure>
      )}
      <ImageInput
        onImages={([file]) => {
          ownPicture.value = file
          onOwn()
        }}
      >
        {bytes ? 'Another one: drop, paste or choose' : undefined}
      </ImageInput>
    </section>
  )
}
