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
    meaning: 'The request does not have the shape that is described.',
    remedy: 'Mend the part that the message names.'
  },
  UNAUTHORIZED: {
    meaning: 'An API key is needed, and none that is valid was sent.',
    remedy: 'Send `Authorization: Bearer <key>` or `X-API-Key: <key>`.'
  },
  KEY_EXPIRED: { meaning: 'The API key has run out.', remedy: 'Ask the operator for a new one.' },
  FORBIDDEN: {
    meaning: "The API key's scope does not allow this.",
    remedy: 'Use a key with the scope that the message names.'
  },
  COLLECTION_FORBIDDEN: {
    meaning: 'The API key is limited to other collections, or the call tells of all of them.',
    remedy: 'Use a key that reaches the collection.'
  },
  HOST_NOT_ALLOWED: {
    meaning: 'The service is not known by this Host.',
    remedy: 'The operator names it in `ALLOWED_HOSTS`.'
  },
  ORIGIN_NOT_ALLOWED: {
    meaning: 'A page of another origin has sent the request.',
    remedy: 'The operator names the origin in `ALLOWED_ORIGINS`.'
  },
  ROUTE_NOT_FOUND: { meaning: 'There is no such path.', remedy: 'See `/docs` for those there are.' },
  COLLECTION_NOT_FOUND: {
    meaning: 'There is no collection of that name.',
    remedy: 'Create it first, or mend the name.'
  },
  RECORD_NOT_FOUND: {
    meaning: 'The collection has no record of that id.',
    remedy: 'Mend the id; `#`, `/` and the like are percent-encoded in paths.'
  },
  IMAGE_NOT_KEPT: {
    meaning: 'The record has no image, or its collection does not keep them.',
    remedy: 'Keep images with `storage` `original` or `thumbnail`, and send it again.'
  },
  BACKUP_NOT_FOUND: { meaning: 'The collection has no backup of that name.', remedy: 'List its backups.' },
  BULK_LOAD_NOT_FOUND: {
    meaning: 'No bulk load is known by that key.',
    remedy: 'Begin the load anew: keys are kept for 7 days.'
  },
  CLASSIFIER_NOT_FOUND: {
    meaning: 'There is no classifier of that name.',
    remedy: 'Train it first, or mend the name.'
  },
  JOB_NOT_FOUND: { meaning: 'There is no job of that id.', remedy: 'List the jobs.' },
  EVALUATION_NOT_FOUND: {
    meaning: 'There is no evaluation of that id.',
    remedy: 'List the evaluations; the last 100 are kept.'
  },
  DATASET_NOT_FOUND: {
    meaning: 'There is no such dataset below the folder of datasets.',
    remedy: 'Name a folder as it is called below `DATASETS_DIR`; no path or link leads out of it.'
  },
  MODEL_NOT_FOUND: {
    meaning: 'The model is not loaded.',
    remedy: 'Name one that is, or ask the operator to add it to `MODELS`.'
  },
  METHOD_NOT_ALLOWED: {
    meaning: 'The path does not take this method.',
    remedy: 'Use one of those in the `Allow` header.'
  },
  COLLECTION_CONFLICT: {
    meaning: 'The collection exists with other settings that are fixed.',
    remedy: 'Use another name, or drop the collection first.'
  },
  COLLECTION_EXISTS: {
    meaning: 'A collection of that name exists.',
    remedy: 'Restore under another name, or with `replace=true`.'
  },
  RESTORE_RUNNING: {
    meaning: 'A collection of that name is being restored.',
    remedy: 'Wait until that has ended.'
  },
  BACKUP_EXISTS: {
    meaning: 'The collection has a backup of that name.',
    remedy: 'Use another name, or remove that one.'
  },
  REINDEX_RUNNING: {
    meaning: 'The collection is being re-indexed.',
    remedy: 'Wait for the job that the message names, or cancel it.'
  },
  EVALUATION_NOT_DONE: {
    meaning: 'The evaluation has no report: it waits, runs, has failed or was cancelled.',
    remedy: 'Follow its job until it is done; see its `error` if it has failed.'
  },
  BULK_LOAD_RUNNING: {
    meaning: 'Another stream loads under the same Idempotency-Key.',
    remedy: 'Wait until it has ended, or use another key.'
  },
  FINGERPRINT_MISMATCH: {
    meaning:
      'The collection was made with an encoder that is not loaded, whose embeddings can not be ' +
      'compared with those of others.',
    remedy: 'Re-index the collection, or have its encoder loaded.'
  },
  CLASSIFIER_MISMATCH: {
    meaning:
      'The classifier was trained with an encoder that is not loaded, and its weights say nothing of ' +
      'the embeddings of others.',
    remedy: 'Train the classifier again, or have its encoder loaded.'
  },
  EXPORT_CHANGED: {
    meaning:
      'The embeddings have changed since the export that If-Match names, so that rows and ids would ' +
      'not belong together.',
    remedy: 'Fetch both files again.'
  },
  REQUEST_TIMEOUT: {
    meaning: 'The body of the request did not come in time.',
    remedy: 'Send it without pauses; the operator may raise `BODY_TIMEOUT_MS`.'
  },
  BODY_TOO_LARGE: {
    meaning: 'The body is over the limit of this call.',
    remedy: 'Send less at a time; `records/bulk` takes any length.'
  },
  BACKUP_TOO_LARGE: {
    meaning: 'The backup that is sent is over the limit.',
    remedy: 'Ask the operator to raise `MAX_BACKUP_MIB`, or to restore it on the machine.'
  },
  IMAGE_TOO_LARGE: {
    meaning: 'The image, or all of the form, has too many bytes or pixels.',
    remedy: 'Make the image smaller: the model sees some hundred pixels of it.'
  },
  MEDIA_TYPE_UNSUPPORTED: {
    meaning: 'The body is of a type that this call does not take.',
    remedy: 'Set `Content-Type` to one that the message names.'
  },
  IMAGE_UNSUPPORTED: {
    meaning: 'The image has a format that is not read.',
    remedy: 'Send jpeg, png, webp, gif, tiff or avif.'
  },
  RANGE_NOT_SATISFIABLE: {
    meaning: 'The Range lies outside of the file.',
    remedy: 'Ask for bytes below the size in `Content-Range`.'
  },
  IMAGE_INVALID: {
    meaning: 'The image can not be decoded: it is empty, damaged or cut off.',
    remedy: 'Send the file whole.'
  },
  IMAGE_URLS_DISABLED: {
    meaning: 'This service does not fetch images by url.',
    remedy: 'Send the bytes as base64 or as a form; the operator may set `IMAGE_URLS`.'
  },
  IMAGE_URL_REFUSED: {
    meaning: 'The address of the image is one that the service does not ask.',
    remedy: 'Use a public http or https address, or send the bytes.'
  },
  IMAGE_URL_FAILED: {
    meaning: 'The address brought no image.',
    remedy: 'See the reason in the message; send the bytes if it stays.'
  },
  TEXT_INVALID: {
    meaning: 'The text has over 8,000 characters.',
    remedy: 'Send less: the model reads only the first of them.'
  },
  RECORD_INVALID: { meaning: 'The record can not be kept as it is.', remedy: 'Mend what the message names.' },
  EMBEDDING_INVALID: {
    meaning: 'The embedding has another dimension than the collection, or values that are no direction.',
    remedy: 'Send finite numbers of the right count, not all zero.'
  },
  COLLECTION_HAS_NO_MODEL: {
    meaning: 'The collection holds embeddings that were brought along: nothing can be encoded for it.',
    remedy: 'Query it by `embedding` or `record`; bring `embeddings` with records.'
  },
  QUERY_INVALID: {
    meaning: 'The query asks for nothing that can be looked for, or for more than is answered at once.',
    remedy:
      'Give each part exactly one of text, image, record and embedding, and weights that do not cancel ' +
      'out; or ask for less, as the message says.'
  },
  FILTER_INVALID: {
    meaning: 'The filter has an operator or a value that is not known.',
    remedy: 'Mend the condition that the message names.'
  },
  LABELS_INVALID: {
    meaning: 'A label is empty or there twice, or there are too many.',
    remedy: 'Mend the label that the message names; images times labels are at most 65,536.'
  },
  EXAMPLES_INVALID: {
    meaning:
      'The examples are not what a classifier can be trained with: of one label alone, of none, or too many.',
    remedy: 'Mend what the message names.'
  },
  TEMPLATE_INVALID: {
    meaning: 'A template has no `{label}`, or no set has that name.',
    remedy: 'Put `{label}` in it, or name one of the sets.'
  },
  ZERO_SHOT_UNSUPPORTED: {
    meaning: 'The model can not classify.',
    remedy: 'See the reason in the message; use another model.'
  },
  IDEMPOTENCY_KEY_REUSED: {
    meaning: 'The Idempotency-Key stands for a load with another body.',
    remedy: 'Use a key of its own for each body.'
  },
  BACKUP_INVALID: {
    meaning: 'The file is no whole backup.',
    remedy: 'Fetch it again, and compare its SHA-256.'
  },
  BACKUP_TOO_NEW: {
    meaning: 'A newer version of the service has written the backup.',
    remedy: 'Restore it with that version.'
  },
  CHECKSUM_DIFFERS: {
    meaning: 'The file has another SHA-256 than was named.',
    remedy: 'Send it again; if it stays, the file was changed where it lay.'
  },
  DATASETS_DISABLED: {
    meaning: 'This service evaluates collections only, and no folders.',
    remedy: 'Name a collection; the operator may set `DATASETS_DIR`.'
  },
  EVALUATION_INVALID: {
    meaning: 'The evaluation can not be made of this dataset, or with these settings.',
    remedy: 'Mend what the message names.'
  },
  REINDEX_INCOMPLETE: {
    meaning: 'A job ended because some embeddings can not be made anew: it is in the `error` of the job.',
    remedy: 'Send those images again, or re-index with `skip_missing`.'
  },
  RATE_LIMITED: {
    meaning: 'More requests, or more without a valid key, came in a minute than are allowed.',
    remedy: 'Wait for the seconds in `Retry-After`.'
  },
  QUEUE_FULL: {
    meaning: 'More work waits than can be done in time.',
    remedy: 'Wait for the seconds in `Retry-After`, and send it again.'
  },
  CLIENT_GONE: {
    meaning: 'The client closed the connection. It stands in the log and the audit alone.',
    remedy: 'Nothing: nobody is left to be answered.'
  },
  INTERNAL: {
    meaning: 'Something is wrong on the side of the service.',
    remedy: 'Tell the operator the `request_id`: the log has more under it.'
  },
  ENCODER_FAILED: {
    meaning: 'The model failed on this input.',
    remedy: 'Tell the operator the `request_id`.'
  },
  JOB_CRASHED: {
    meaning:
      'A job is given up since the service ended unexpectedly while it ran, an evaluation 3 times, a ' +
      're-indexing 10 times: it is in the `error` of the job.',
    remedy: 'Tell the operator, whose log and memory of the process have the cause; then start it anew.'
  },
  CLOSED: {
    meaning: 'The service is shutting down.',
    remedy: 'Send it again after the seconds in `Retry-After`.'
  },
  WORKER_DIED: {
    meaning: 'The worker that held this ended. A write may or may not have happened.',
    remedy: 'Send it again, with ids of your own: that is safe.'
  },
  WORKERS_DOWN: {
    meaning: 'The workers for this died again and again, and are started anew in a while.',
    remedy: 'Send it again after the seconds in `Retry-After`.'
  },
  COLLECTION_REPLACED: {
    meaning: 'The collection was re-indexed or restored while this was under way.',
    remedy: 'Send it again.'
  },
  STORAGE_UNWRITABLE: {
    meaning:
      'The data folder can not be written to; nothing of the request was stored, but for the lines of ' +
      'a bulk load that were answered before.',
    remedy: 'Ask the operator to look after the disk, then send it again. Searches go on.'
  },
  DEADLINE_EXCEEDED: {
    meaning: 'The time that was set is over. A write that was under way may or may not be stored.',
    remedy: 'Send it again with the same ids, and more time.'
  },
  STORAGE_FULL: {
    meaning:
      'The disk is full, or a restore would leave too little on it; nothing of the request was stored, ' +
      'but for the lines of a bulk load that were answered before.',
    remedy: 'Ask the operator for space, or delete records; then send it again. Searches go on.'
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
