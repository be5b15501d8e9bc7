import { prepareChromium } from "./services/chromium.ts"
import { prepareMariadb } from "./services/mariadb.ts"
import { missingMysql, mysqlVersions } from "./services/mysql.ts"
import { postgresVersions, preparePostgres } from "./services/postgres.ts"
import { integrationStep, type Outcome, okSteps, smokeStep } from "./steps.ts"

/** Everything: the gate, then the tests that need databases, then the smoke run. A failure does not hide the later ones. */
const outcomes: Outcome[] = []
for (const step of okSteps) outcomes.push(await step())
// Outside the tests, since installing takes longer than a test may.
const prepared = prepare()
if (prepared) outcomes.push(prepared)
outcomes.push(await integrationStep(), await smokeStep())

const [passed, failed, skipped] = [sum("passed"), sum("failed"), sum("skipped")]
const broken = outcomes.filter((outcome) => outcome.failed > 0).map((outcome) => outcome.name)
if (skipped > 0) console.log(`\n${skipped} skipped`)
if (broken.length > 0) console.log(`\nnot ok: ${broken.join(", ")}`)
console.log(`\n${passed} passed, ${failed} failed`)
process.exit(failed > 0 || passed === 0 ? 1 : 0)

function prepare(): Outcome | undefined {
  try {
    for (const version of postgresVersions) preparePostgres(version)
    prepareMariadb()
    prepareChromium()
  } catch (cause) {
    console.error(cause instanceof Error ? cause.message : cause)
    return { name: "databases and browser", passed: 0, failed: 1, skipped: 0 }
  }
  // A registry may be out of reach: the tests of these versions are skipped then, and each file says so.
  for (const version of mysqlVersions) {
    const why = missingMysql(version)
    if (why !== undefined) console.error(why)
  }
  return undefined
}

function sum(count: "passed" | "failed" | "skipped"): number {
  return outcomes.reduce((total, outcome) => total + outcome[count], 0)
}
