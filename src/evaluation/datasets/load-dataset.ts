import type { Dataset, DatasetFault, LoadedDataset } from './dataset.js'

/** Reads a dataset whole: its items, and what it names but can't give. Images stay in their files. */
export async function loadDataset(dataset: Dataset, signal?: AbortSignal): Promise<LoadedDataset> {
  const { name, format, kind } = dataset
  const items: unknown[] = []
  const faults: DatasetFault[] = []
  for await (const found of dataset.items(signal)) {
    if ('reason' in found) faults.push(found)
    else items.push(found)
  }
  return { name, format, kind, items, faults } as LoadedDataset
}
