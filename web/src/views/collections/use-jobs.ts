import { useEffect } from 'preact/hooks'
import { followJob, isRunning, jobs, loadJobs } from './jobs.js'

/** How often the jobs of other collections are asked for while one runs, in milliseconds. */
const POLL_MS = 5000

/**
 * Keeps the jobs up to date for as long as the view is there: that of its collection at once, the others
 * every few seconds.
 */
export function useJobs(collection: string | undefined): void {
  const running = jobs.value.filter(isRunning)
  const shown = running.find((job) => job.collection === collection)?.id
  const hasOthers = running.some(({ id }) => id !== shown)
  useEffect(() => {
    if (shown === undefined) return
    const stop = new AbortController()
    void followJob(shown, stop.signal)
    return () => stop.abort()
  }, [shown])
  useEffect(() => {
    if (!hasOthers) return
    // Where it fails, the next one may not.
    const timer = setInterval(() => void loadJobs().catch(() => {}), POLL_MS)
    return () => clearInterval(timer)
  }, [hasOthers])
}
