/** Asks for the runs that wait or go on: the pages that show them share one answer. */
export const OPEN_RUNS = { query: { status: ["running", "queued"], limit: 200 } } as const
