import type {
  Batch,
  Files,
  Log,
  ParameterValue,
  RejectedRow,
  RunSettings,
  Session,
  Sink,
  Source,
  Split,
} from "../contract/index.ts"
import type { PlannedStep } from "../flow/plan.ts"
import { failure, pluginError } from "../host/failure.ts"
import { makeSession } from "../host/session.ts"
import type { Counters } from "./counters.ts"
import { byBranch, dealer, fanOut, type Item, merge } from "./edges.ts"
import type { SplitReceipt } from "./report.ts"

/** What all splits of a run share. */
export interface RunContext {
  readonly runId: string
  readonly steps: readonly PlannedStep[]
  readonly sinks: ReadonlyMap<string, Sink>
  readonly settings: RunSettings
  readonly parameters: Readonly<Record<string, ParameterValue>>
  readonly files: Files
  readonly log: Log
  readonly counters: Counters
}

/** A split of an input. */
export interface Work {
  readonly input: PlannedStep
  readonly source: Source
  readonly split: Split
}

/**
 * Reads one split and drives it through every step behind its input. Resolves after the commit at every output, with a
 * receipt that adds up; rejects, with nothing of the split committed at the failing output, otherwise.
 */
export async function runSplit(context: RunContext, work: Work, outside: AbortSignal): Promise<SplitReceipt> {
  const controller = new AbortController()
  const abort = () => controller.abort(outside.reason)
  if (outside.aborted) abort()
  outside.addEventListener("abort", abort, { once: true })
  const split = new SplitRun(context, work, controller.signal)
  try {
    const writes = split.connect().map((write) =>
      write.catch((error) => {
        // One failing output ends the others: the split as a whole has failed.
        controller.abort(error)
        throw error
      }),
    )
    const settled = await Promise.allSettled(writes)
    const failed = settled.find((result) => result.status === "rejected")
    if (failed !== undefined) throw firstCause(settled, controller.signal.reason)
    return split.receipt()
  } finally {
    outside.removeEventListener("abort", abort)
  }
}

/** The failure that came first, rather than one that the abort has caused in another step. */
function firstCause(settled: readonly PromiseSettledResult<unknown>[], reason: unknown): unknown {
  const errors = settled.flatMap((result) => (result.status === "rejected" ? [result.reason] : []))
  return errors.includes(reason) ? reason : errors[0]
}

class SplitRun {
  readonly #context: RunContext
  readonly #work: Work
  readonly #signal: AbortSignal
  readonly #id: string
  /** Rows this split delivered to each output, and what became of them. */
  readonly #received = new Map<string, number>()
  readonly #written = new Map<string, number>()
  readonly #rejected = new Map<string, number>()
  #read = 0

  constructor(context: RunContext, work: Work, signal: AbortSignal) {
    this.#context = context
    this.#work = work
    this.#signal = signal
    this.#id = `${work.input.id}/${work.split.id}`
  }

  /** Starts every step behind the input; one promise for each output. */
  connect(): Promise<void>[] {
    const { steps } = this.#context
    const streams = new Map<string, AsyncIterable<Item>[]>()
    const deliver = (to: string, stream: AsyncIterable<Item>) =>
      void streams.set(to, [...(streams.get(to) ?? []), stream])
    const writes: Promise<void>[] = []
    for (const step of steps) {
      if (step === this.#work.input) {
        this.#send(step, this.#counted(step, this.#readSplit(step)), deliver)
        continue
      }
      const incoming = streams.get(step.id)
      if (incoming === undefined) continue
      const stream = incoming.length === 1 ? incoming[0]! : merge(incoming)
      if (step.component.kind === "output") writes.push(this.#write(step, stream))
      else this.#send(step, this.#counted(step, this.#apply(step, stream)), deliver)
    }
    return writes
  }

  receipt(): SplitReceipt {
    const outputs = [...this.#received].map(([step, received]) => {
      const written = this.#written.get(step) ?? 0
      const rejected = this.#rejected.get(step) ?? 0
      if (received !== written + rejected) {
        throw failure(
          "data",
          `The receipt of output "${step}" does not add up for split ${this.#id}: ${received} rows received, ${written} written, ${rejected} rejected`,
        )
      }
      return { step, received, written, rejected }
    })
    return { split: this.#id, label: this.#work.split.label, read: this.#read, outputs }
  }

  #session(step: PlannedStep): Session {
    const { runId, files, log, settings, parameters, counters } = this.#context
    return makeSession({
      signal: this.#signal,
      log,
      files,
      settings,
      parameters,
      run: { id: runId, fence: 0 },
      reject: (row: RejectedRow) => {
        this.#rejected.set(step.id, (this.#rejected.get(step.id) ?? 0) + 1)
        if (step === this.#work.input) this.#read++
        counters.reject(step.id, this.#id, row)
      },
      adjusted: (policy, column, values) => counters.adjust(step.id, policy, column, values),
    })
  }

  async *#readSplit(step: PlannedStep): AsyncGenerator<Item> {
    try {
      for await (const item of this.#work.source.read(this.#work.split, this.#session(step))) {
        this.#read += item.rows
        yield item
        await nextTurn()
      }
    } catch (error) {
      throw pluginError(error, step.id)
    }
  }

  async *#apply(step: PlannedStep, stream: AsyncIterable<Item>): AsyncGenerator<Item> {
    const { component, config } = step
    if (component.kind === "router") return yield* this.#entering(step, stream)
    if (component.kind !== "transform") return
    const shape = { input: step.input, output: step.output }
    try {
      yield* component.apply(config, shape, this.#entering(step, stream) as AsyncIterable<Batch>, this.#session(step))
    } catch (error) {
      throw pluginError(error, step.id)
    }
  }

  async #write(step: PlannedStep, stream: AsyncIterable<Item>): Promise<void> {
    const sink = this.#context.sinks.get(step.id)!
    this.#received.set(step.id, 0)
    try {
      const { written } = await sink.write(
        { id: this.#id, attempt: 1 },
        this.#entering(step, stream),
        this.#session(step),
      )
      this.#written.set(step.id, written)
      this.#context.counters.out(step.id, written, 0)
    } catch (error) {
      throw pluginError(error, step.id)
    }
  }

  /** Counts what a step receives. */
  async *#entering(step: PlannedStep, stream: AsyncIterable<Item>): AsyncGenerator<Item> {
    const { counters } = this.#context
    const received = step.component.kind === "output"
    for await (const item of stream) {
      counters.in(step.id, item.rows, received ? item.bytes : 0)
      if (received) this.#received.set(step.id, this.#received.get(step.id)! + item.rows)
      yield item
    }
  }

  /** Counts what a step gives. */
  async *#counted(step: PlannedStep, stream: AsyncIterable<Item>): AsyncGenerator<Item> {
    for await (const item of stream) {
      this.#context.counters.out(step.id, item.rows, item.bytes)
      yield item
    }
  }

  #send(
    step: PlannedStep,
    stream: AsyncIterable<Item>,
    deliver: (to: string, stream: AsyncIterable<Item>) => void,
  ): void {
    const { outgoing, component } = step
    const [only] = outgoing
    if (component.kind !== "router" && outgoing.length === 1) {
      deliver(only!.to, stream)
      return
    }
    const limit = this.#context.settings.bufferBytes
    if (component.kind === "router") {
      const branches = step.branches!
      const session = this.#session(step)
      const split = byBranch(branches.length, (batch) => component.route(step.config, batch, session))
      const route = (item: Item) => {
        const parts = split(item)
        return outgoing.map((hop) => parts[branches.indexOf(hop.send ?? "")])
      }
      for (const [i, branch] of fanOut(stream, outgoing.length, limit, route).entries())
        deliver(outgoing[i]!.to, branch)
      return
    }
    const route = only!.send === "round-robin" ? dealer(outgoing.length) : (item: Item) => outgoing.map(() => item)
    for (const [i, branch] of fanOut(stream, outgoing.length, limit, route).entries()) deliver(outgoing[i]!.to, branch)
  }
}

/**
 * Lets sockets have their say. Rows that are already there are handed on in microtasks alone, so that a busy reader
 * would keep the writer's server waiting at every round trip: measured, PostgreSQL to MariaDB took 1.4 times as long.
 */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
