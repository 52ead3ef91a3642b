import createError from '@fastify/error'

// Every public error: its code, its message (which says what to fix) and its status.

export const InvalidRequest = createError('INVALID_REQUEST', '%s', 400)
export const Unauthorized = createError(
  'UNAUTHORIZED',
  'This request needs an API key: send Authorization: Bearer <key>, or X-API-Key: <key>.',
  401
)
export const KeyExpired = createError(
  'KEY_EXPIRED',
  'The API key expired at %s; ask the operator for a new one.',
  401
)
export const Forbidden = createError(
  'FORBIDDEN',
  'The API key has the scope %s; this request needs the scope %s.',
  403
)
export const CollectionForbidden = createError(
  'COLLECTION_FORBIDDEN',
  'The API key does not give access to %s.',
  403
)
export const HostNotAllowed = createError(
  'HOST_NOT_ALLOWED',
  "The Host '%s' is not allowed; add it to ALLOWED_HOSTS.",
  403
)
export const OriginNotAllowed = createError(
  'ORIGIN_NOT_ALLOWED',
  "Requests from the Origin '%s' are not allowed; add it to ALLOWED_ORIGINS.",
  403
)
export const RouteNotFound = createError(
  'ROUTE_NOT_FOUND',
  'There is no route %s; /docs lists all routes.',
  404
)
export const MethodNotAllowed = createError(
  'METHOD_NOT_ALLOWED',
  '%s does not support the method %s; use %s.',
  405
)
export const CollectionNotFound = createError('COLLECTION_NOT_FOUND', "There is no collection '%s'.", 404)
export const RecordNotFound = createError('RECORD_NOT_FOUND', "Collection '%s' has no record '%s'.", 404)
export const ImageNotKept = createError('IMAGE_NOT_KEPT', "No image is kept for record '%s'.", 404)
export const ModelNotFound = createError(
  'MODEL_NOT_FOUND',
  "Model '%s' is not loaded; loaded models: %s.",
  404
)
export const CollectionConflict = createError(
  'COLLECTION_CONFLICT',
  "Collection '%s' already exists with %s, which can't be changed to %s; use another name, or delete " +
    'the collection first.',
  409
)
export const CollectionReplaced = createError(
  'COLLECTION_REPLACED',
  "Collection '%s' was re-indexed or restored during this request; send the request again.",
  503
)
export const CollectionExists = createError(
  'COLLECTION_EXISTS',
  "Collection '%s' already exists; restore under another name, or replace it with replace=true.",
  409
)
export const RestoreRunning = createError(
  'RESTORE_RUNNING',
  "Collection '%s' is being restored; wait until the restore ends.",
  409
)
export const BackupNotFound = createError('BACKUP_NOT_FOUND', "Collection '%s' has no backup '%s'.", 404)
export const BackupExists = createError(
  'BACKUP_EXISTS',
  "Collection '%s' already has a backup '%s'; use another name, or delete the backup first.",
  409
)
export const BackupInvalid = createError('BACKUP_INVALID', 'The file is not a valid backup: %s.', 422)
export const BodyTimeout = createError(
  'REQUEST_TIMEOUT',
  'The request body did not arrive in time: the service waits %s s for a body, and one second longer ' +
    'for each %s bytes received.',
  408
)
export const BodyTooLarge = createError('BODY_TOO_LARGE', '%s', 413)
export const BackupTooLarge = createError(
  'BACKUP_TOO_LARGE',
  'The backup exceeds the limit of %s MiB; ask the operator to raise MAX_BACKUP_MIB.',
  413
)
export const BackupTooNew = createError(
  'BACKUP_TOO_NEW',
  'The backup has format %s, which a newer version of the service wrote; this version reads formats ' +
    'up to %s.',
  422
)
export const ChecksumDiffers = createError(
  'CHECKSUM_DIFFERS',
  'The SHA-256 of the file is %s, not %s: the file changed in transfer or in storage.',
  422
)
export const ExportChanged = createError(
  'EXPORT_CHANGED',
  'The embeddings have changed since the export that If-Match names; start the export again.',
  412
)
export const ClassifierNotFound = createError('CLASSIFIER_NOT_FOUND', "There is no classifier '%s'.", 404)
export const ClassifierMismatch = createError(
  'CLASSIFIER_MISMATCH',
  "Classifier '%s' was trained with encoder %s, which is not loaded (loaded: %s), and can't classify " +
    'embeddings of other encoders. Load that encoder (MODELS), or train the classifier again: PUT ' +
    '/v1/classifiers/{name}.',
  409
)
export const ExamplesInvalid = createError('EXAMPLES_INVALID', '%s', 422)
export const ReindexRunning = createError(
  'REINDEX_RUNNING',
  "Collection '%s' is being re-indexed by job %s; wait for the job, or cancel it.",
  409
)
export const BulkLoadRunning = createError(
  'BULK_LOAD_RUNNING',
  "Another stream is loading under the Idempotency-Key '%s'; wait until it ends, or use another key.",
  409
)
export const ReindexIncomplete = createError('REINDEX_INCOMPLETE', '%s', 422)
export const BulkLoadNotFound = createError(
  'BULK_LOAD_NOT_FOUND',
  "Collection '%s' has no bulk load with the Idempotency-Key '%s'; keys are kept for 7 days.",
  404
)
export const IdempotencyKeyReused = createError('IDEMPOTENCY_KEY_REUSED', '%s', 422)
export const JobNotFound = createError('JOB_NOT_FOUND', "There is no job '%s'.", 404)
export const EvaluationNotFound = createError('EVALUATION_NOT_FOUND', "There is no evaluation '%s'.", 404)
export const EvaluationNotDone = createError(
  'EVALUATION_NOT_DONE',
  "Evaluation '%s' is %s; its report is available once it is done.",
  409
)
export const DatasetNotFound = createError(
  'DATASET_NOT_FOUND',
  "There is no dataset '%s' under DATASETS_DIR.",
  404
)
export const DatasetsDisabled = createError(
  'DATASETS_DISABLED',
  'Evaluating folders is disabled; ask the operator to set DATASETS_DIR, or evaluate a collection.',
  422
)
export const EvaluationInvalid = createError('EVALUATION_INVALID', '%s', 422)
export const FingerprintMismatch = createError(
  'FINGERPRINT_MISMATCH',
  "Collection '%s' was made with encoder %s, which is not loaded (loaded: %s), and embeddings of " +
    "different encoders can't be compared. Load that encoder (MODELS), or re-index the collection: POST " +
    '/v1/collections/{collection}/reindex.',
  409
)
export const JobCrashed = createError(
  'JOB_CRASHED',
  'The service ended unexpectedly %s times during this job, so the job is not tried again. Check the ' +
    'log and the memory of the service, then start the job again.',
  500
)
export const RangeNotSatisfiable = createError(
  'RANGE_NOT_SATISFIABLE',
  'The file has %s bytes; request a range within it.',
  416
)
export const ImageTooLarge = createError('IMAGE_TOO_LARGE', 'The image is too large: %s.', 413)
export const MediaTypeUnsupported = createError('MEDIA_TYPE_UNSUPPORTED', 'The body is %s; send %s.', 415)
export const ImageUnsupported = createError(
  'IMAGE_UNSUPPORTED',
  'The image is %s; send jpeg, png, webp, gif, tiff or avif.',
  415
)
export const ImageInvalid = createError('IMAGE_INVALID', "The image can't be decoded: %s.", 422)
export const ImageUrlsDisabled = createError(
  'IMAGE_URLS_DISABLED',
  'Fetching images by URL is disabled; send the bytes as base64 or multipart.',
  422
)
export const ImageUrlRefused = createError('IMAGE_URL_REFUSED', 'The URL of the image was rejected: %s.', 422)
export const ImageUrlFailed = createError(
  'IMAGE_URL_FAILED',
  'The image could not be fetched from its URL: %s.',
  422
)
export const TextInvalid = createError('TEXT_INVALID', '%s', 422)
export const RecordInvalid = createError('RECORD_INVALID', '%s', 422)
export const EmbeddingInvalid = createError('EMBEDDING_INVALID', '%s', 422)
export const CollectionHasNoModel = createError(
  'COLLECTION_HAS_NO_MODEL',
  "Collection '%s' has no model: its embeddings are supplied by clients. Query it by an embedding or a " +
    'record.',
  422
)
export const QueryInvalid = createError('QUERY_INVALID', '%s', 422)
export const FilterInvalid = createError('FILTER_INVALID', '%s', 422)
export const LabelsInvalid = createError('LABELS_INVALID', '%s', 422)
export const TemplateInvalid = createError('TEMPLATE_INVALID', '%s', 422)
export const ZeroShotUnsupported = createError('ZERO_SHOT_UNSUPPORTED', "Model '%s' can't classify: %s.", 422)
export const ClientGone = createError('CLIENT_GONE', 'The client closed the connection.', 499)
export const RateLimited = createError(
  'RATE_LIMITED',
  'More than %s requests were sent within a minute; try again in %s.',
  429
)
export const RefusedTooOften = createError(
  'RATE_LIMITED',
  'This address sent %s requests without a valid API key within a minute; try again in %s.',
  429
)
export const QueueFull = transient(
  createError('QUEUE_FULL', 'Too many requests are waiting; try again later.', 429)
)
export const Internal = createError(
  'INTERNAL',
  'An internal error occurred; the log has the details under this request_id.',
  500
)
export const EncoderFailed = createError('ENCODER_FAILED', 'The encoder failed on this input.', 500)
export const Closed = createError('CLOSED', 'The service is shutting down.', 503)
export const WorkerDied = transient(
  createError('WORKER_DIED', 'The worker that processed this request ended unexpectedly; try again.', 503)
)
export const WorkersDown = transient(
  createError(
    'WORKERS_DOWN',
    'The workers for this request (%s) failed repeatedly and are restarted after a pause; try again later.',
    503
  )
)
export const DeadlineExceeded = createError(
  'DEADLINE_EXCEEDED',
  'The request was not completed within its time limit; a write that had started may still be stored.',
  504
)
export const StorageUnwritable = createError(
  'STORAGE_UNWRITABLE',
  "The data folder can't be written to; nothing from this request was stored.",
  503
)
export const StorageFull = createError(
  'STORAGE_FULL',
  'There is not enough disk space; nothing from this request was stored.',
  507
)

/** An error as it crosses threads and stands in responses. */
export interface ErrorShape {
  code: string
  message: string
  statusCode: number
  /** Whether the same work may succeed later. */
  isTransient?: true
}

/** Marks a class of errors: the same work may succeed later. */
function transient<Class extends { prototype: object }>(errorClass: Class): Class {
  Object.defineProperty(errorClass.prototype, 'isTransient', { value: true })
  return errorClass
}

/** Whether an error is transient, also after it has crossed threads. */
export function isTransient(error: unknown): error is Error & ErrorShape & { isTransient: true } {
  return isPublicError(error) && error.isTransient === true
}

/**
 * An error with the time, in milliseconds from now, after which another try is worth it: the answer's
 * Retry-After.
 */
export function retryLater<E extends Error>(error: E, ms: number): E {
  return Object.assign(error, { retryAfterMs: ms })
}

/** Whether an error is one of the public ones above (or Fastify's), which a caller may see. */
export function isPublicError(error: unknown): error is Error & ErrorShape {
  return (
    error instanceof Error && 'code' in error && typeof (error as Error & ErrorShape).statusCode === 'number'
  )
}

/** The shape of a public error; anything else is INTERNAL. */
export function toErrorShape(error: unknown): ErrorShape {
  const { code, message, statusCode } = isPublicError(error) ? error : new Internal()
  return { code, message, statusCode: statusCode ?? 500, ...(isTransient(error) && { isTransient: true }) }
}

/** The error that a shape from another thread stands for. */
export function fromErrorShape({ message, ...rest }: ErrorShape): Error & ErrorShape {
  return Object.assign(new Error(message), rest)
}
