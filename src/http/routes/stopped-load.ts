import { isPublicError, isTransient, type ErrorShape } from '../../errors.js'

/** How far a load is. */
export interface LoadProgress {
  /** The last line that is answered for good. */
  done: number
  /** The key of a load that can be resumed. */
  key?: string
}

/**
 * What is wrong by code, where the words of the error itself are of requests that are stored whole or not at
 * all.
 */
const DISK_ERRORS: Record<string, string> = {
  STORAGE_FULL: 'There is no space left to write',
  STORAGE_UNWRITABLE: "The data folder can't be written to"
}

/** Whether a load that ended with an error, other than of the disk, can be resumed as it is. */
function isResumable(error: Error & ErrorShape): boolean {
  return isTransient(error) || error.code === 'CLOSED' || error.code === 'DEADLINE_EXCEEDED'
}

/** The error that ends a load, saying how far the load is and how to resume it where that is of use. */
export function stoppedLoad(error: unknown, { done, key }: LoadProgress): unknown {
  if (!isPublicError(error) || !(error.code in DISK_ERRORS || isResumable(error))) return error
  const { code, statusCode, stack, cause } = error
  const next = done + 1
  const resume =
    key === undefined
      ? `send the lines from ${next} on`
      : `send the same lines again under this Idempotency-Key, or those from ${next} on with ` +
        `from_line=${next}`
  const soFar =
    done === 0 ? 'No line is done' : `Lines 1 to ${done} are done (stored, or failed by themselves)`
  const message =
    code in DISK_ERRORS
      ? `${DISK_ERRORS[code]}. ${soFar}, later ones are not. Once it can be written to, ${resume}.`
      : `${error.message} ${soFar}; later ones may be stored, too. To resume the load, ${resume}.`
  return Object.assign(new Error(message), { code, statusCode, stack, cause })
}
