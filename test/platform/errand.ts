import { jobQueue } from '../../api/platform/jobs.ts'

/** The queue of these tests. */
export const errand = jobQueue<{ tenant: string; n: number }>('errand', { expiresIn: 60, retries: 2 })
