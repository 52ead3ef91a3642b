import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'

/**
 * The cores that this program may use: those it is scheduled on, or fewer where its control group (a
 * container's) has a quota of processor time: cpu.max of version 2, cpu.cfs_quota_us of version 1. At least
 * 1.
 */
export function usableCores(root = '/sys/fs/cgroup'): number {
  const quota =
    quotaOf(readWords(`${root}/cpu.max`)) ??
    quotaOf([...readWords(`${root}/cpu/cpu.cfs_quota_us`), ...readWords(`${root}/cpu/cpu.cfs_period_us`)])
  return Math.max(1, Math.min(availableParallelism(), Math.floor(quota ?? Infinity)))
}

/**
 * Cores of a quota and its period, both in microseconds; undefined where there is no quota ("max", or -1).
 */
function quotaOf([quota, period]: string[]): number | undefined {
  const cores = Number(quota) / Number(period)
  return cores > 0 ? cores : undefined
}

function readWords(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').trim().split(/\s+/)
  } catch {
    return []
  }
}
