import type { DatasetReport, Report } from '../report.js'
import type { ReportJson } from './schema.js'

type DatasetJson = ReportJson['datasets'][number]

/**
 * A report as it is written and sent, with names in snake_case. Names of figures, details and pictures stay
 * as they are.
 */
export function toJson({
  version,
  service,
  createdAt,
  seconds,
  models,
  settings,
  command,
  datasets,
  pictures
}: Report): ReportJson {
  return {
    version,
    service,
    created_at: createdAt,
    seconds,
    models,
    settings,
    ...(command !== undefined && { command }),
    datasets: datasets.map(datasetJson),
    pictures
  }
}

/**
 * The report that was written by `toJson`, as pages and cards are made of. The JSON must keep to the schema.
 */
export function fromJson({ created_at, datasets, ...rest }: ReportJson): Report {
  return { ...rest, createdAt: created_at, datasets: datasets.map(datasetReport) }
}

function datasetJson({
  counts: { duplicateImages, duplicateCaptions, ...counts },
  ...rest
}: DatasetReport): DatasetJson {
  return {
    ...rest,
    counts: { ...counts, duplicate_images: duplicateImages, duplicate_captions: duplicateCaptions }
  }
}

function datasetReport({
  counts: { duplicate_images, duplicate_captions, ...counts },
  ...rest
}: DatasetJson): DatasetReport {
  return {
    ...rest,
    counts: { ...counts, duplicateImages: duplicate_images, duplicateCaptions: duplicate_captions }
  }
}
