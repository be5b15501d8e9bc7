import process from "node:process"
import { Effect, Metric } from "effect"

const resident = Metric.gauge("process_resident_memory_bytes", { description: "Memory of the server's process." })
const startedAt = Metric.gauge("process_start_time_seconds", { description: "When the server was started." })
const cpu = Metric.gauge("process_cpu_seconds_total", { description: "Processor time of the server's process." })

/** What Prometheus wants to know of any process. */
export const processGauges = Effect.gen(function* () {
  const { user, system } = process.cpuUsage()
  yield* Metric.update(resident, process.memoryUsage.rss())
  yield* Metric.update(startedAt, Date.now() / 1000 - process.uptime())
  yield* Metric.update(cpu, (user + system) / 1_000_000)
})
