import type { Readable } from 'node:stream'

/** Kept images, by the SHA-256 of their bytes in hex. Records bring them in and let them go. */
export interface ImageStore {
  /** The bytes of an image; undefined where it is not kept, or not any more. */
  read(sha256: string): Promise<Buffer | undefined>
  /** The same as a stream, which its reader ends or destroys. */
  open(sha256: string): Promise<Readable | undefined>
  /**
   * Keeps images from being removed, until the returned function is called: it resolves to whether they were
   * kept all the time.
   */
  hold(): Promise<() => Promise<boolean>>
}
