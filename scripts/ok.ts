import { okSteps } from "./steps.ts"

/** The gate before a commit: fast, needs no database, stops at the first step that fails. */
const start = performance.now()
for (const step of okSteps) {
  const { name, failed } = await step()
  if (failed === 0) continue
  console.error(`\nnot ok: ${name}`)
  process.exit(1)
}
console.log(`\nok in ${((performance.now() - start) / 1000).toFixed(1)} s`)
