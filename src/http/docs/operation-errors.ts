import type { ErrorCode } from './error-guide.js'

const COLLECTION: ErrorCode[] = ['COLLECTION_FORBIDDEN', 'COLLECTION_NOT_FOUND']
/** Of work that waits for a thread. */
const WORK: ErrorCode[] = ['QUEUE_FULL', 'WORKER_DIED', 'WORKERS_DOWN']
const WRITE: ErrorCode[] = [...WORK, 'COLLECTION_REPLACED', 'STORAGE_UNWRITABLE', 'STORAGE_FULL']
const ENCODE: ErrorCode[] = [...WORK, 'ENCODER_FAILED', 'TEXT_INVALID']
const IMAGE: ErrorCode[] = [
  'IMAGE_TOO_LARGE',
  'IMAGE_UNSUPPORTED',
  'IMAGE_INVALID',
  'IMAGE_URLS_DISABLED',
  'IMAGE_URL_REFUSED',
  'IMAGE_URL_FAILED'
]
const TEXT_SEARCH: ErrorCode[] = [
  ...COLLECTION,
  ...ENCODE,
  'FILTER_INVALID',
  'FINGERPRINT_MISMATCH',
  'COLLECTION_HAS_NO_MODEL'
]
const ONE_RECORD: ErrorCode[] = [
  ...IMAGE,
  'IMAGE_NOT_KEPT',
  'TEXT_INVALID',
  'RECORD_INVALID',
  'EMBEDDING_INVALID',
  'COLLECTION_HAS_NO_MODEL',
  'ENCODER_FAILED'
]
const FILES: ErrorCode[] = ['QUEUE_FULL', 'WORKER_DIED', 'STORAGE_UNWRITABLE', 'STORAGE_FULL']

interface OperationErrors {
  /** What the call as a whole may be answered. */
  answers: ErrorCode[]
  /** What may stand in an answer of 200, for one record or line of many, or in a job. */
  within?: ErrorCode[]
}

/** By operationId what a call may be answered beside what all are. */
export const OPERATION_ERRORS: Record<string, OperationErrors> = {
  searchTextToImage: { answers: TEXT_SEARCH },
  searchImageToText: { answers: [...TEXT_SEARCH, ...IMAGE] },
  search: { answers: [...TEXT_SEARCH, ...IMAGE, 'QUERY_INVALID', 'RECORD_NOT_FOUND', 'EMBEDDING_INVALID'] },
  searchByText: { answers: TEXT_SEARCH },
  searchMatrix: { answers: [...COLLECTION, ...WORK, 'FILTER_INVALID', 'QUERY_INVALID'] },
  scoreRecords: {
    answers: [
      ...COLLECTION,
      ...ENCODE,
      ...IMAGE,
      'FINGERPRINT_MISMATCH',
      'COLLECTION_HAS_NO_MODEL',
      'QUERY_INVALID',
      'RECORD_NOT_FOUND',
      'EMBEDDING_INVALID'
    ]
  },
  zeroShot: {
    answers: [
      ...ENCODE,
      ...IMAGE,
      'MODEL_NOT_FOUND',
      'LABELS_INVALID',
      'TEMPLATE_INVALID',
      'ZERO_SHOT_UNSUPPORTED'
    ]
  },
  trainClassifier: {
    answers: [
      ...COLLECTION,
      ...WRITE,
      ...ENCODE,
      ...IMAGE,
      'MODEL_NOT_FOUND',
      'EXAMPLES_INVALID',
      'LABELS_INVALID',
      'TEMPLATE_INVALID',
      'FILTER_INVALID',
      'FINGERPRINT_MISMATCH',
      'COLLECTION_HAS_NO_MODEL'
    ]
  },
  classify: { answers: [...ENCODE, ...IMAGE, 'CLASSIFIER_NOT_FOUND', 'CLASSIFIER_MISMATCH'] },
  listClassifiers: { answers: [] },
  getClassifier: { answers: ['CLASSIFIER_NOT_FOUND'] },
  dropClassifier: {
    answers: ['CLASSIFIER_NOT_FOUND', 'WORKER_DIED', 'WORKERS_DOWN', 'STORAGE_UNWRITABLE', 'STORAGE_FULL']
  },
  createEmbeddings: { answers: [...ENCODE, ...IMAGE, 'MODEL_NOT_FOUND', 'EMBEDDING_INVALID'] },
  compare: { answers: [...ENCODE, ...IMAGE, 'MODEL_NOT_FOUND'] },
  upsertRecords: {
    answers: [...COLLECTION, ...WRITE, 'FINGERPRINT_MISMATCH', 'IMAGE_TOO_LARGE'],
    within: ONE_RECORD
  },
  countFacets: { answers: [...COLLECTION, ...WORK, 'FILTER_INVALID'] },
  listRecords: { answers: [...COLLECTION, ...WORK, 'FILTER_INVALID'] },
  getRecord: { answers: [...COLLECTION, ...WORK, 'RECORD_NOT_FOUND'] },
  patchRecord: {
    answers: [
      ...COLLECTION,
      ...WRITE,
      ...ENCODE,
      ...IMAGE,
      'RECORD_NOT_FOUND',
      'RECORD_INVALID',
      'EMBEDDING_INVALID',
      'FINGERPRINT_MISMATCH',
      'COLLECTION_HAS_NO_MODEL'
    ]
  },
  deleteRecord: { answers: [...COLLECTION, ...WRITE, 'RECORD_NOT_FOUND'] },
  getRecordImage: { answers: [...COLLECTION, ...WORK, 'RECORD_NOT_FOUND', 'IMAGE_NOT_KEPT'] },
  deleteRecords: { answers: [...COLLECTION, ...WRITE, 'FILTER_INVALID'] },
  bulkRecords: {
    answers: [...COLLECTION, 'BULK_LOAD_RUNNING'],
    within: [
      ...ONE_RECORD,
      'FINGERPRINT_MISMATCH',
      'IDEMPOTENCY_KEY_REUSED',
      'INVALID_REQUEST',
      'BODY_TOO_LARGE',
      'WORKER_DIED',
      'WORKERS_DOWN',
      'COLLECTION_REPLACED',
      'COLLECTION_NOT_FOUND',
      'STORAGE_UNWRITABLE',
      'STORAGE_FULL',
      'DEADLINE_EXCEEDED',
      'CLOSED'
    ]
  },
  getBulkLoad: { answers: [...COLLECTION, 'BULK_LOAD_NOT_FOUND'] },
  createCollection: {
    answers: [
      'COLLECTION_FORBIDDEN',
      'COLLECTION_CONFLICT',
      'MODEL_NOT_FOUND',
      'WORKER_DIED',
      'WORKERS_DOWN',
      'STORAGE_UNWRITABLE',
      'STORAGE_FULL'
    ]
  },
  getCollection: { answers: COLLECTION },
  listCollections: { answers: [] },
  snapshotCollection: {
    answers: [...COLLECTION, 'WORKER_DIED', 'WORKERS_DOWN', 'STORAGE_UNWRITABLE', 'STORAGE_FULL']
  },
  dropCollection: {
    answers: [...COLLECTION, 'WORKER_DIED', 'WORKERS_DOWN', 'STORAGE_UNWRITABLE', 'STORAGE_FULL']
  },
  makeBackup: { answers: [...COLLECTION, ...FILES, 'BACKUP_EXISTS'] },
  listBackups: { answers: COLLECTION },
  getBackup: { answers: ['COLLECTION_FORBIDDEN', 'BACKUP_NOT_FOUND', 'RANGE_NOT_SATISFIABLE'] },
  removeBackup: { answers: ['COLLECTION_FORBIDDEN', 'BACKUP_NOT_FOUND'] },
  restoreCollection: {
    answers: [
      'COLLECTION_FORBIDDEN',
      'COLLECTION_EXISTS',
      'RESTORE_RUNNING',
      'REINDEX_RUNNING',
      'BACKUP_NOT_FOUND',
      'BACKUP_TOO_LARGE',
      'BACKUP_INVALID',
      'BACKUP_TOO_NEW',
      'CHECKSUM_DIFFERS',
      ...FILES,
      'WORKERS_DOWN'
    ]
  },
  exportRecords: { answers: [...COLLECTION, 'QUEUE_FULL', 'COLLECTION_REPLACED', 'WORKER_DIED'] },
  exportEmbeddings: {
    answers: [...COLLECTION, 'EXPORT_CHANGED', 'QUEUE_FULL', 'COLLECTION_REPLACED', 'WORKER_DIED']
  },
  reindexCollection: {
    answers: [
      ...COLLECTION,
      'MODEL_NOT_FOUND',
      'REINDEX_RUNNING',
      'COLLECTION_HAS_NO_MODEL',
      'STORAGE_UNWRITABLE',
      'STORAGE_FULL',
      'WORKERS_DOWN',
      'WORKER_DIED'
    ],
    within: ['REINDEX_INCOMPLETE', 'JOB_CRASHED', 'INTERNAL']
  },
  listJobs: { answers: [] },
  getJob: { answers: ['JOB_NOT_FOUND'] },
  cancelJob: { answers: ['JOB_NOT_FOUND'] },
  followJob: { answers: ['JOB_NOT_FOUND'] },
  startEvaluation: {
    answers: [
      ...COLLECTION,
      'MODEL_NOT_FOUND',
      'COLLECTION_HAS_NO_MODEL',
      'FINGERPRINT_MISMATCH',
      'DATASETS_DISABLED',
      'DATASET_NOT_FOUND',
      'EVALUATION_INVALID',
      'TEMPLATE_INVALID',
      'QUEUE_FULL',
      'WORKER_DIED',
      'WORKERS_DOWN',
      'STORAGE_UNWRITABLE',
      'STORAGE_FULL'
    ],
    within: [
      'EVALUATION_INVALID',
      'DATASETS_DISABLED',
      'DATASET_NOT_FOUND',
      'COLLECTION_NOT_FOUND',
      'COLLECTION_REPLACED',
      'MODEL_NOT_FOUND',
      'FINGERPRINT_MISMATCH',
      'STORAGE_UNWRITABLE',
      'STORAGE_FULL',
      'WORKER_DIED',
      'WORKERS_DOWN',
      'JOB_CRASHED',
      'INTERNAL'
    ]
  },
  listEvaluations: { answers: [] },
  getEvaluation: { answers: ['EVALUATION_NOT_FOUND'] },
  getEvaluationReport: { answers: ['EVALUATION_NOT_FOUND', 'EVALUATION_NOT_DONE'] },
  deleteEvaluation: {
    answers: [
      'COLLECTION_FORBIDDEN',
      'EVALUATION_NOT_FOUND',
      'WORKER_DIED',
      'WORKERS_DOWN',
      'STORAGE_UNWRITABLE',
      'STORAGE_FULL'
    ]
  },
  listModels: { answers: [] },
  getModel: { answers: ['MODEL_NOT_FOUND'] },
  getMetrics: { answers: ['COLLECTION_FORBIDDEN'] },
  getLive: { answers: [] },
  getReady: { answers: [] }
}

/** What every call may be answered, whatever it does. */
const EVERY: ErrorCode[] = [
  'INVALID_REQUEST',
  'HOST_NOT_ALLOWED',
  'ORIGIN_NOT_ALLOWED',
  'DEADLINE_EXCEEDED',
  'INTERNAL'
]
/** What those may be that ask for a key where keys are asked for. */
const KEYED: ErrorCode[] = ['UNAUTHORIZED', 'KEY_EXPIRED', 'FORBIDDEN', 'RATE_LIMITED', 'CLOSED']
const WITH_BODY: ErrorCode[] = ['QUEUE_FULL', 'REQUEST_TIMEOUT', 'BODY_TOO_LARGE', 'MEDIA_TYPE_UNSUPPORTED']

/** The codes that a call may be answered, and those that may stand within an answer. */
export function errorsOf(
  path: string,
  { operationId, requestBody }: { operationId: string; requestBody?: unknown }
): Required<OperationErrors> {
  const { answers = [], within = [] } = OPERATION_ERRORS[operationId] ?? {}
  return {
    answers: [
      ...EVERY,
      ...(path.startsWith('/health/') ? [] : KEYED),
      ...(requestBody ? WITH_BODY : []),
      ...answers
    ],
    within
  }
}
