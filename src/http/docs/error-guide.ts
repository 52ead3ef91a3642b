import * as errors from '../../errors.js'

type CodeOf<Each> = Each extends { prototype: { code: infer Code extends string } }
  ? string extends Code
    ? never
    : Code
  : never
type Codes = { [Name in keyof typeof errors]: CodeOf<(typeof errors)[Name]> }[keyof typeof errors]

/** The code of a public error. */
export type ErrorCode = Codes

/** What an error means, and what the caller can do about it. */
export interface ErrorAdvice {
  meaning: string
  remedy: string
}

/**
 * Every public error, in the order of their statuses. The page of the API, openapi.yaml and docs/api.md are
 * made from this table.
 */
export const ERROR_GUIDE = {
  INVALID_REQUEST: {
    meaning: 'The request does not match the schema of this call.',
    remedy: 'Correct the field that the message names.'
  },
  UNAUTHORIZED: {
    meaning: 'The call needs an API key, and the request has no valid one.',
    remedy: 'Send `Authorization: Bearer <key>` or `X-API-Key: <key>`.'
  },
  KEY_EXPIRED: { meaning: 'The API key has expired.', remedy: 'Ask the operator for a new one.' },
  FORBIDDEN: {
    meaning: "The API key's scope does not allow this.",
    remedy: 'Use a key with the scope that the message names.'
  },
  COLLECTION_FORBIDDEN: {
    meaning: 'The API key is limited to other collections, or the call needs access to all collections.',
    remedy: 'Use a key that has access to the collection.'
  },
  HOST_NOT_ALLOWED: {
    meaning: 'The service does not accept requests with this `Host` header.',
    remedy: 'Ask the operator to add the host to `ALLOWED_HOSTS`.'
  },
  ORIGIN_NOT_ALLOWED: {
    meaning: 'A web page of another origin sent the request.',
    remedy: 'Ask the operator to add the origin to `ALLOWED_ORIGINS`.'
  },
  ROUTE_NOT_FOUND: { meaning: 'The path does not exist.', remedy: 'See `/docs` for all paths.' },
  COLLECTION_NOT_FOUND: {
    meaning: 'There is no collection with this name.',
    remedy: 'Create the collection first, or correct the name.'
  },
  RECORD_NOT_FOUND: {
    meaning: 'The collection has no record with this id.',
    remedy: 'Correct the id; percent-encode `#`, `/` and similar characters in paths.'
  },
  IMAGE_NOT_KEPT: {
    meaning: 'The record has no image, or its collection does not keep images.',
    remedy: "Set the collection's `storage` to `original` or `thumbnail`, and send the image again."
  },
  BACKUP_NOT_FOUND: { meaning: 'The collection has no backup with this name.', remedy: 'List its backups.' },
  BULK_LOAD_NOT_FOUND: {
    meaning: 'There is no bulk load with this key.',
    remedy: 'Start the load again: keys are kept for 7 days.'
  },
  CLASSIFIER_NOT_FOUND: {
    meaning: 'There is no classifier with this name.',
    remedy: 'Train the classifier first, or correct the name.'
  },
  JOB_NOT_FOUND: { meaning: 'There is no job with this id.', remedy: 'List the jobs.' },
  EVALUATION_NOT_FOUND: {
    meaning: 'There is no evaluation with this id.',
    remedy: 'List the evaluations; the last 100 are kept.'
  },
  DATASET_NOT_FOUND: {
    meaning: 'There is no such dataset under `DATASETS_DIR`.',
    remedy: 'Use a path relative to `DATASETS_DIR`; paths and links that lead out of it are not followed.'
  },
  MODEL_NOT_FOUND: {
    meaning: 'The model is not loaded.',
    remedy: 'Use a loaded model, or ask the operator to add this one to `MODELS`.'
  },
  METHOD_NOT_ALLOWED: {
    meaning: 'The path does not support this method.',
    remedy: 'Use a method that the `Allow` header lists.'
  },
  COLLECTION_CONFLICT: {
    meaning: "The collection already exists with other settings, which can't be changed.",
    remedy: 'Use another name, or delete the collection first.'
  },
  COLLECTION_EXISTS: {
    meaning: 'A collection with this name already exists.',
    remedy: 'Restore under another name, or set `replace=true`.'
  },
  RESTORE_RUNNING: {
    meaning: 'A collection with this name is being restored.',
    remedy: 'Wait until the restore ends.'
  },
  BACKUP_EXISTS: {
    meaning: 'The collection already has a backup with this name.',
    remedy: 'Use another name, or delete that backup.'
  },
  REINDEX_RUNNING: {
    meaning: 'The collection is being re-indexed.',
    remedy: 'Wait for the job that the message names, or cancel it.'
  },
  EVALUATION_NOT_DONE: {
    meaning: 'The evaluation has no report: it is waiting or running, has failed or was cancelled.',
    remedy: "Follow its job until it is done; if it failed, the job's `error` says why."
  },
  BULK_LOAD_RUNNING: {
    meaning: 'Another stream is loading under the same `Idempotency-Key`.',
    remedy: 'Wait until that stream ends, or use another key.'
  },
  FINGERPRINT_MISMATCH: {
    meaning:
      'The collection was made with an encoder that is not loaded. Embeddings of different encoders ' +
      'cannot be compared.',
    remedy: 'Re-index the collection, or ask the operator to load its encoder.'
  },
  CLASSIFIER_MISMATCH: {
    meaning:
      'The classifier was trained with an encoder that is not loaded. It cannot classify embeddings of ' +
      'other encoders.',
    remedy: 'Train the classifier again, or ask the operator to load its encoder.'
  },
  EXPORT_CHANGED: {
    meaning:
      'The embeddings have changed since the export that `If-Match` names, so rows and ids would not match.',
    remedy: 'Fetch both files again.'
  },
  REQUEST_TIMEOUT: {
    meaning: 'The request body did not arrive in time.',
    remedy: 'Send the body without pauses, or ask the operator to raise `BODY_TIMEOUT_MS`.'
  },
  BODY_TOO_LARGE: {
    meaning: 'The request body exceeds the limit of this call.',
    remedy: 'Send less in one request; `records/bulk` has no limit.'
  },
  BACKUP_TOO_LARGE: {
    meaning: 'The uploaded backup exceeds the limit.',
    remedy: 'Ask the operator to raise `MAX_BACKUP_MIB`, or to restore the backup on the server.'
  },
  IMAGE_TOO_LARGE: {
    meaning: 'The image, or the form as a whole, has too many bytes or pixels.',
    remedy: 'Scale the image down: the model reads only a few hundred pixels of each side.'
  },
  MEDIA_TYPE_UNSUPPORTED: {
    meaning: "This call does not support the body's media type.",
    remedy: 'Set `Content-Type` to a type that the message names.'
  },
  IMAGE_UNSUPPORTED: {
    meaning: 'The image format is not supported.',
    remedy: 'Send jpeg, png, webp, gif, tiff or avif.'
  },
  RANGE_NOT_SATISFIABLE: {
    meaning: 'The `Range` lies outside the file.',
    remedy: 'Request bytes below the size in `Content-Range`.'
  },
  IMAGE_INVALID: {
    meaning: 'The image cannot be decoded: it is empty, damaged or truncated.',
    remedy: 'Send the complete file.'
  },
  IMAGE_URLS_DISABLED: {
    meaning: 'Fetching images by URL is disabled.',
    remedy: 'Send the bytes as base64 or as a form, or ask the operator to set `IMAGE_URLS`.'
  },
  IMAGE_URL_REFUSED: {
    meaning: 'The URL of the image is not allowed.',
    remedy: 'Use a public http or https URL, or send the bytes.'
  },
  IMAGE_URL_FAILED: {
    meaning: 'The image could not be fetched from its URL.',
    remedy: 'The message gives the reason; if it persists, send the bytes instead.'
  },
  TEXT_INVALID: {
    meaning: 'The text has more than 8,000 characters.',
    remedy: 'Shorten the text: the model reads only its beginning.'
  },
  RECORD_INVALID: { meaning: 'The record is not valid.', remedy: 'Correct what the message names.' },
  EMBEDDING_INVALID: {
    meaning:
      'The embedding has the wrong dimension for the collection, or its values are not finite or all zero.',
    remedy: 'Send as many finite numbers as the collection has dimensions, not all of them zero.'
  },
  COLLECTION_HAS_NO_MODEL: {
    meaning:
      'The collection has no model: its embeddings are supplied by clients, so queries cannot be encoded.',
    remedy: 'Query by `embedding` or `record`; send `embeddings` with records.'
  },
  QUERY_INVALID: {
    meaning: 'The query has no valid part, or its result would be too large.',
    remedy:
      'Give each part exactly one of text, image, record and embedding, and weights that do not cancel ' +
      'each other out; or request less, as the message says.'
  },
  FILTER_INVALID: {
    meaning: 'The filter has an unknown operator or an invalid value.',
    remedy: 'Correct the condition that the message names.'
  },
  LABELS_INVALID: {
    meaning: 'A label is empty or duplicate, or there are too many labels.',
    remedy: 'Correct the label that the message names; images times labels may be at most 65,536.'
  },
  EXAMPLES_INVALID: {
    meaning:
      'A classifier cannot be trained with these examples: they have only one label, there are none, ' +
      'or there are too many.',
    remedy: 'Correct what the message names.'
  },
  TEMPLATE_INVALID: {
    meaning: 'A template has no `{label}`, or there is no template set with this name.',
    remedy: 'Add `{label}` to the template, or use one of the template sets.'
  },
  ZERO_SHOT_UNSUPPORTED: {
    meaning: 'The model does not support classification.',
    remedy: 'The message gives the reason; use another model.'
  },
  IDEMPOTENCY_KEY_REUSED: {
    meaning: 'The `Idempotency-Key` was already used for a load with another body.',
    remedy: 'Use a different key for each body.'
  },
  BACKUP_INVALID: {
    meaning: 'The file is not a valid backup.',
    remedy: 'Download the backup again, and compare its SHA-256.'
  },
  BACKUP_TOO_NEW: {
    meaning: 'The backup was written by a newer version of the service.',
    remedy: 'Restore it with that version or a newer one.'
  },
  CHECKSUM_DIFFERS: {
    meaning: 'The SHA-256 of the file is not the one that the request states.',
    remedy: 'Send the file again; if the error persists, the stored file was changed.'
  },
  DATASETS_DISABLED: {
    meaning: 'Evaluating folders is disabled; only collections can be evaluated.',
    remedy: 'Evaluate a collection, or ask the operator to set `DATASETS_DIR`.'
  },
  EVALUATION_INVALID: {
    meaning: 'The dataset cannot be evaluated with these settings.',
    remedy: 'Correct what the message names.'
  },
  REINDEX_INCOMPLETE: {
    meaning:
      'A re-index job failed because some embeddings cannot be computed again. This code appears in ' +
      "the job's `error`.",
    remedy: 'Send those images again, or re-index with `skip_missing`.'
  },
  RATE_LIMITED: {
    meaning:
      'More requests, or more requests without a valid key, were sent within a minute than are allowed.',
    remedy: 'Wait for the number of seconds in `Retry-After`, then send the request again.'
  },
  QUEUE_FULL: {
    meaning: 'More requests are waiting than can be processed in time.',
    remedy: 'Wait for the number of seconds in `Retry-After`, then send the request again.'
  },
  CLIENT_GONE: {
    meaning: 'The client closed the connection. This code appears only in the log and the audit log.',
    remedy: 'None: there is no client to answer.'
  },
  INTERNAL: {
    meaning: 'An internal error occurred in the service.',
    remedy: 'Give the operator the `request_id`: the log has the details under it.'
  },
  ENCODER_FAILED: {
    meaning: 'The model failed on this input.',
    remedy: 'Give the operator the `request_id`.'
  },
  JOB_CRASHED: {
    meaning:
      'The service ended unexpectedly during a job, 3 times for an evaluation or 10 times for a ' +
      "re-index, so the job is not tried again. This code appears in the job's `error`.",
    remedy:
      'Tell the operator: the log and the memory use of the process show the cause. Then start the job again.'
  },
  CLOSED: {
    meaning: 'The service is shutting down.',
    remedy: 'Send the request again after the number of seconds in `Retry-After`.'
  },
  WORKER_DIED: {
    meaning:
      'The worker that processed the request ended unexpectedly. A write may or may not have happened.',
    remedy: 'Send the request again; this is safe if the records have ids of your own.'
  },
  WORKERS_DOWN: {
    meaning: 'The workers for this request failed repeatedly and are restarted after a pause.',
    remedy: 'Send the request again after the number of seconds in `Retry-After`.'
  },
  COLLECTION_REPLACED: {
    meaning: 'The collection was re-indexed or restored during the request.',
    remedy: 'Send the request again.'
  },
  STORAGE_UNWRITABLE: {
    meaning:
      'The data folder cannot be written to. Nothing from the request was stored, except lines of a ' +
      'bulk load that were already answered.',
    remedy: 'Ask the operator to check the disk, then send the request again. Searches still work.'
  },
  DEADLINE_EXCEEDED: {
    meaning: "The request's time limit has passed. A write that had started may or may not be stored.",
    remedy: 'Send the request again with the same ids and a longer time limit.'
  },
  STORAGE_FULL: {
    meaning:
      'The disk is full, or a restore would leave too little space. Nothing from the request was ' +
      'stored, except lines of a bulk load that were already answered.',
    remedy:
      'Ask the operator for disk space, or delete records, then send the request again. Searches still work.'
  }
} satisfies Record<ErrorCode, ErrorAdvice>

/** A public error as it is documented. */
export interface DocumentedError extends ErrorAdvice {
  code: ErrorCode
  status: number
  /** The message, with an ellipsis where it names something. */
  message: string
}

/** All public errors, by status. */
export const DOCUMENTED_ERRORS: DocumentedError[] = documentedErrors()

/** The documented errors of some codes, by status. */
export function documented(codes: Iterable<ErrorCode>): DocumentedError[] {
  const wanted = new Set(codes)
  return DOCUMENTED_ERRORS.filter(({ code }) => wanted.has(code))
}

function documentedErrors(): DocumentedError[] {
  const facts = new Map<string, { status: number; message: string }>()
  for (const each of Object.values(errors)) {
    if (!('prototype' in each) || !(each.prototype instanceof Error)) continue
    const { code, statusCode, message } = new (each as typeof errors.InvalidRequest)('…', '…', '…')
    // Of two errors with one code the first is as good as the other.
    if (!facts.has(code)) facts.set(code, { status: statusCode, message })
  }
  return (Object.keys(ERROR_GUIDE) as ErrorCode[])
    .map((code) => ({ code, ...facts.get(code)!, ...ERROR_GUIDE[code] }))
    .sort((a, b) => a.status - b.status)
}
