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
import { failure, type PluginError, pluginError } from "../host/failure.ts"
import { makeSession } from "../host/session.ts"
import type { Counters } from "./counters.ts"
import { byBranch, dealer, fanOut, type Item, merge, type Stream, stream } from "./edges.ts"
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
  /** How long the steps of a split may take to let go after a failure or an abort. */
  readonly cancelTimeoutMs: number
  /** Notes that an output has committed rows of a split, whatever becomes of the split at other outputs. */
  committed(step: string, rows: number): void
}

/** A split of an input. */
export interface Work {
  readonly input: PlannedStep
  readonly source: Source
  readonly split: Split
}

/**
 * Reads one split and drives it through every step behind its input. Resolves after the commit at every output, with a
 * receipt that adds up; rejects, with nothing of the split committed at the failing output, otherwise. Settles at most
 * `cancelTimeoutMs` after a failure or an abort, whatever the components do.
 */
export async function runSplit(context: RunContext, work: Work, outside: AbortSignal): Promise<SplitReceipt> {
  const controller = new AbortController()
  const abort = () => controller.abort(outside.reason)
  if (outside.aborted) abort()
  outside.addEventListener("abort", abort, { once: true })
  const split = new SplitRun(context, work, controller, outside)
  const deadline = makeDeadline(controller.signal, context.cancelTimeoutMs)
  try {
    await Promise.race([split.run(), deadline.passed])
    if (split.cause !== undefined) throw split.cause
    if (!split.isWhole) controller.signal.throwIfAborted()
    return split.receipt()
  } finally {
    deadline.clear()
    outside.removeEventListener("abort", abort)
  }
}

/** A promise that resolves some time after an abort. */
function makeDeadline(signal: AbortSignal, afterMs: number): { readonly passed: Promise<void>; clear(): void } {
  const { promise: passed, resolve } = Promise.withResolvers<void>()
  let timer: ReturnType<typeof setTimeout> | undefined
  const start = () => {
    timer = setTimeout(resolve, afterMs)
  }
  if (signal.aborted) start()
  else signal.addEventListener("abort", start, { once: true })
  return { passed, clear: () => clearTimeout(timer) }
}

class SplitRun {
  readonly #context: RunContext
  readonly #work: Work
  readonly #controller: AbortController
  readonly #outside: AbortSignal
  readonly #id: string
  /** Outputs that have seen the end of their rows. */
  readonly #ended = new Set<string>()
  /** Rows this split delivered to each output, and what became of them. */
  readonly #received = new Map<string, number>()
  readonly #written = new Map<string, number>()
  readonly #rejected = new Map<string, number>()
  #read = 0
  /** The output that stopped reading too early; its failure, which comes later, is the cause of all others. */
  #stopped: PlannedStep | undefined
  /** The failure that came first, rather than one that the abort has caused in another step. */
  cause: PluginError | undefined
  /** True when every output has committed all of its rows; an abort comes too late then. */
  isWhole = false
  #isBroken = false

  constructor(context: RunContext, work: Work, controller: AbortController, outside: AbortSignal) {
    this.#context = context
    this.#work = work
    this.#controller = controller
    this.#outside = outside
    this.#id = `${work.input.id}/${work.split.id}`
  }

  /** Starts every step behind the input; resolves when all of them have let go. Failures are left in `cause`. */
  async run(): Promise<void> {
    const { steps } = this.#context
    const streams = new Map<string, Stream[]>()
    const deliver: Deliver = (to, rows) => void streams.set(to, [...(streams.get(to) ?? []), rows])
    const writes: Promise<void>[] = []
    for (const step of steps) {
      if (step === this.#work.input) {
        this.#send(step, stream(this.#readSplit(step)), deliver)
        continue
      }
      const incoming = streams.get(step.id)
      if (incoming === undefined) continue
      const rows = incoming.length === 1 ? incoming[0]! : merge(incoming)
      if (step.component.kind === "output") writes.push(this.#write(step, rows))
      else this.#send(step, stream(this.#apply(step, rows), rows), deliver)
    }
    await Promise.all(writes)
    this.isWhole = !this.#isBroken
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
      signal: this.#signalFor(step),
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

  /** A step that fails is not told to stop: it would lose its own failure, and the time to roll back. */
  #signalFor(step: PlannedStep): AbortSignal {
    const { signal } = this.#controller
    if (step.component.kind !== "output") return signal
    const own = new AbortController()
    const abort = () => {
      if (this.#stopped !== step) own.abort(signal.reason)
    }
    if (signal.aborted) abort()
    else signal.addEventListener("abort", abort, { once: true })
    return AbortSignal.any([own.signal, this.#outside])
  }

  async *#readSplit(step: PlannedStep): AsyncGenerator<Item> {
    const { counters } = this.#context
    try {
      for await (const item of this.#work.source.read(this.#work.split, this.#session(step))) {
        this.#read += item.rows
        counters.out(step.id, item.rows, item.bytes)
        yield item
        await nextTurn()
      }
    } catch (error) {
      throw this.#failed(step, error)
    }
  }

  async *#apply(step: PlannedStep, rows: Stream): AsyncGenerator<Item> {
    const { component, config } = step
    const entering = this.#entering(step, rows)
    try {
      for await (const item of component.kind === "transform"
        ? // Frames go to outputs only.
          component.apply(
            config,
            { input: step.input, output: step.output },
            entering as AsyncIterable<Batch>,
            this.#session(step),
          )
        : entering) {
        this.#context.counters.out(step.id, item.rows, item.bytes)
        yield item
      }
    } catch (error) {
      throw this.#failed(step, error)
    } finally {
      // A transform may have enough before its input ends.
      await rows.return()
    }
  }

  /** Never rejects: what went wrong is the `cause`. */
  async #write(step: PlannedStep, rows: Stream): Promise<void> {
    const { sinks, counters, committed } = this.#context
    this.#received.set(step.id, 0)
    try {
      const { written } = await sinks
        .get(step.id)!
        .write({ id: this.#id, attempt: 1 }, this.#entering(step, rows), this.#session(step))
      committed(step.id, written)
      this.#written.set(step.id, written)
      counters.out(step.id, written, 0)
      if (!this.#ended.has(step.id))
        throw failure("protocol", `Output "${step.id}" stopped reading before the end of split ${this.#id}`)
    } catch (error) {
      this.#failed(step, error)
    } finally {
      await rows.return()
    }
  }

  /** Notes a failure and stops all other steps of the split. */
  #failed(step: PlannedStep, error: unknown): PluginError {
    this.#isBroken = true
    const found = pluginError(error, step.id)
    if (!this.#controller.signal.aborted || this.#stopped === step) this.cause ??= found
    this.#controller.abort(found)
    return found
  }

  /** Counts what a step receives. */
  async *#entering(step: PlannedStep, rows: Stream): AsyncGenerator<Item> {
    const { counters } = this.#context
    const isOutput = step.component.kind === "output"
    try {
      for await (const item of rows) {
        counters.in(step.id, item.rows, isOutput ? item.bytes : 0)
        if (isOutput) this.#received.set(step.id, this.#received.get(step.id)! + item.rows)
        yield item
      }
      this.#ended.add(step.id)
    } finally {
      // Whatever waits for this output must not wait for its failure to come through.
      if (isOutput && !this.#ended.has(step.id) && !this.#controller.signal.aborted) {
        this.#stopped = step
        this.#controller.abort(failure("cancelled", `Output "${step.id}" stopped reading`))
      }
    }
  }

  #send(step: PlannedStep, rows: Stream, deliver: Deliver): void {
    const { outgoing, component } = step
    const [only] = outgoing
    if (component.kind !== "router" && outgoing.length === 1) {
      deliver(only!.to, rows)
      return
    }
    const branches = outgoing.length
    const limitBytes = this.#context.settings.bufferBytes
    const { signal } = this.#controller
    const shared = fanOut(rows, { branches, limitBytes, signal, route: this.#route(step) })
    for (const [i, branch] of shared.entries()) deliver(outgoing[i]!.to, branch)
  }

  /** Which part of an item goes over which of a step's hops. */
  #route(step: PlannedStep): (item: Item) => readonly (Item | undefined)[] {
    const { outgoing, component, config } = step
    if (component.kind !== "router") {
      return outgoing[0]!.send === "round-robin"
        ? dealer(outgoing.length, firstTurn(this.#id))
        : (item) => outgoing.map(() => item)
    }
    const branches = step.branches!
    const session = this.#session(step)
    const split = byBranch(branches.length, (batch) => component.route(config, batch, session))
    return (item) => {
      try {
        const parts = split(item)
        return outgoing.map((hop) => parts[branches.indexOf(hop.send ?? "")])
      } catch (error) {
        throw this.#failed(step, error)
      }
    }
  }
}

type Deliver = (to: string, rows: Stream) => void

/** By the split's name, so that many small splits do not all begin with the same branch, and one read again does. */
function firstTurn(split: string): number {
  let sum = 0
  for (let i = 0; i < split.length; i++) sum = (sum * 31 + split.charCodeAt(i)) % 1_000_003
  return sum
}

/**
 * Lets sockets have their say. Rows that are already there are handed on in microtasks alone, so that a busy reader
 * would keep the writer's server waiting at every round trip: measured, PostgreSQL to MariaDB took 1.4 times as long.
 */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
