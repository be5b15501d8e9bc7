import type { Semaphore } from "effect"
import type {
  Batch,
  CommittedSplit,
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
import { type CommitNote, noteText, readNote } from "./commit-note.ts"
import type { Counters } from "./counters.ts"
import { byBranch, dealer, fanOut, type Item, merge, type Stream, stream } from "./edges.ts"
import type { Journal } from "./journal.ts"
import { allLetGo } from "./letting-go.ts"
import type { OutputReceipt, SplitReceipt } from "./report.ts"
import { StallWatch } from "./stall.ts"
import type { Tally } from "./tally.ts"
import { firstTurn, nextTurn } from "./turns.ts"

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
  readonly journal: Journal["Service"]
  /** The number of this attempt at the run. */
  readonly fence: number
  /** One permit for each split that may run beside others; whoever takes all of them is alone. */
  readonly places: Semaphore.Semaphore
  /** How long no row may move. */
  readonly stallTimeoutMs: number
  /** How long the steps of a split may take to let go after a failure or an abort. */
  readonly cancelTimeoutMs: number
  /** Notes that an output has committed rows of a split, whatever becomes of the split at other outputs. */
  committed(step: string, split: string, rows: number): void
}

/** A split of an input. */
export interface Work {
  readonly input: PlannedStep
  readonly source: Source
  readonly split: Split
}

/** One try at a split. */
export interface Attempt {
  readonly number: number
  /** What it counts; whoever tries again takes it back. */
  readonly tally: Tally
  /** What earlier tries have committed, by output; those rows are read again only for the others. */
  readonly committed: ReadonlyMap<string, CommittedSplit>
}

/**
 * Reads one split and drives it through every step behind its input. Resolves after the commit at every output, with a
 * receipt that adds up; rejects, with nothing of the split committed at the failing output, otherwise. Settles at most
 * `cancelTimeoutMs` after a failure or an abort, whatever the components do.
 */
export async function runSplit(
  context: RunContext,
  work: Work,
  attempt: Attempt,
  outside: AbortSignal,
): Promise<SplitReceipt> {
  const controller = new AbortController()
  const abort = () => controller.abort(outside.reason)
  if (outside.aborted) abort()
  outside.addEventListener("abort", abort, { once: true })
  const split = new SplitRun(context, work, attempt, controller, outside)
  const deadline = makeDeadline(controller.signal, context.cancelTimeoutMs)
  try {
    await Promise.race([split.run(), deadline.passed])
    if (split.cause !== undefined) throw split.cause
    if (!split.isWhole) controller.signal.throwIfAborted()
    return split.receipt()
  } finally {
    split.end()
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
  readonly #attempt: Attempt
  readonly #controller: AbortController
  readonly #outside: AbortSignal
  readonly #id: string
  readonly #tally: Tally
  readonly #stall: StallWatch
  /** Whether memory of batches goes round. */
  readonly #reuse: boolean
  /** Outputs that have seen the end of their rows. */
  readonly #ended = new Set<string>()
  readonly #receipts: OutputReceipt[] = []
  /** The output that stopped reading too early; its failure, which comes later, is the cause of all others. */
  #stopped: PlannedStep | undefined
  /** The failure that came first, rather than one that the abort has caused in another step. */
  cause: PluginError | undefined
  /** True when every output has committed all of its rows; an abort comes too late then. */
  isWhole = false
  #isBroken = false

  constructor(context: RunContext, work: Work, attempt: Attempt, controller: AbortController, outside: AbortSignal) {
    this.#context = context
    this.#work = work
    this.#attempt = attempt
    this.#controller = controller
    this.#outside = outside
    this.#id = splitId(work)
    this.#tally = attempt.tally
    this.#reuse = allLetGo(context.steps, work.input)
    this.#stall = new StallWatch(context.stallTimeoutMs, (step, stalled) => {
      this.cause ??= pluginError(stalled, step)
      this.#isBroken = true
      controller.abort(stalled)
    })
  }

  end(): void {
    this.#stall.stop()
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
    this.end()
  }

  receipt(): SplitReceipt {
    return {
      split: this.#id,
      label: this.#work.split.label,
      attempt: this.#attempt.number,
      read: this.#tally.read,
      steps: this.#tally.steps(),
      outputs: this.#context.steps.flatMap(({ id }) => this.#receipts.filter(({ step }) => step === id)),
    }
  }

  #session(step: PlannedStep): Session {
    const { runId, fence, files, log, settings, parameters, counters, journal } = this.#context
    const tally = this.#tally
    return makeSession({
      signal: this.#signalFor(step),
      log,
      files,
      settings,
      parameters,
      reuse: this.#reuse,
      run: { id: runId, fence },
      reject: (row: RejectedRow) => {
        journal.reject({ ...row, runId, step: step.id, split: this.#id, attempt: this.#attempt.number })
        tally.reject(step.id)
        counters.reject(step.id, row)
      },
      sealed: () => journal.sealed(),
      filtered: (rows) => tally.add(step.id, { filtered: rows }),
      made: (rows) => tally.add(step.id, { made: rows }),
      adjusted: (policy, column, values) => tally.adjust(step.id, policy, column, values),
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
    try {
      this.#stall.owes(step.id, "it has given no rows")
      for await (const item of this.#work.source.read(this.#work.split, this.#session(step))) {
        this.#stall.done(step.id)
        this.#tally.add(step.id, { rowsOut: item.rows, bytes: item.bytes })
        yield item
        await nextTurn()
        await this.#context.journal.room()
        this.#stall.owes(step.id, "it has given no rows")
      }
      this.#stall.done(step.id)
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
        this.#stall.done(step.id)
        this.#tally.add(step.id, { rowsOut: item.rows, bytes: item.bytes })
        yield item
        this.#stall.owes(step.id, "it has passed nothing on")
      }
      this.#stall.done(step.id)
    } catch (error) {
      throw this.#failed(step, error)
    } finally {
      // A transform may have enough before its input ends.
      await rows.return()
    }
  }

  /** Never rejects: what went wrong is the `cause`. */
  async #write(step: PlannedStep, rows: Stream): Promise<void> {
    const { sinks, committed } = this.#context
    const earlier = this.#attempt.committed.get(step.id)
    try {
      if (earlier !== undefined) {
        for await (const _ of rows);
        const receipt = outputReceipt(step.id, readNote(earlier.note), earlier)
        this.#tally.adopt(step.id, receipt.received, receipt.written)
        this.#receipts.push(receipt)
        return
      }
      this.#stall.owes(step.id, "it has asked for no rows")
      const split = { id: this.#id, attempt: this.#attempt.number, note: () => this.#note(step) }
      const { written, guarantee } = await sinks
        .get(step.id)!
        .write(split, this.#entering(step, rows), this.#session(step))
      committed(step.id, this.#id, written)
      this.#tally.add(step.id, { rowsOut: written })
      if (!this.#ended.has(step.id))
        throw failure("protocol", `Output "${step.id}" stopped reading before the end of split ${this.#id}`)
      this.#receipts.push(this.#tally.receipt(step.id, this.#id, written, guarantee))
    } catch (error) {
      this.#failed(step, error)
    } finally {
      this.#stall.done(step.id)
      await rows.return()
    }
  }

  /** What a later attempt has to know of this one, should nobody live to tell. */
  #note(step: PlannedStep): string {
    const { rowsIn, rejected } = this.#tally.of(step.id)
    const receipt = this.#tally.receipt(step.id, this.#id, rowsIn - rejected, "exactly-once")
    return noteText({
      attempt: this.#attempt.number,
      read: this.#tally.read,
      steps: this.#tally.steps(),
      output: receipt,
    })
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
    const isOutput = step.component.kind === "output"
    const taking = isOutput ? "it has taken no rows" : "it has passed nothing on"
    try {
      this.#stall.done(step.id)
      for await (const item of rows) {
        this.#tally.add(step.id, { rowsIn: item.rows, bytes: isOutput ? item.bytes : 0 })
        this.#stall.owes(step.id, taking)
        yield item
        this.#stall.done(step.id)
      }
      this.#ended.add(step.id)
      this.#stall.owes(step.id, isOutput ? "it has not committed" : taking)
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

/** Identity of a split in the run. */
export function splitId({ input, split }: Pick<Work, "input" | "split">): string {
  return `${input.id}/${split.id}`
}

/** A split that every output behind its input had committed before. */
export function earlierReceipt(work: Work, committed: Attempt["committed"]): SplitReceipt {
  const notes = [...committed].map(([step, split]) => ({ step, split, note: readNote(split.note) }))
  const [first] = notes
  const steps = new Map(notes.flatMap(({ note }) => note.steps.map((count) => [count.step, count] as const)))
  // It was noted before the commit, when nothing counted as written yet.
  for (const { step, split } of notes) {
    const count = steps.get(step)
    if (count !== undefined) steps.set(step, { ...count, rowsOut: split.written })
  }
  return {
    split: splitId(work),
    label: work.split.label,
    attempt: first?.note.attempt ?? 0,
    read: first?.note.read ?? 0,
    steps: [...steps.values()],
    outputs: notes.map(({ step, split, note }) => outputReceipt(step, note, split)),
  }
}

function outputReceipt(step: string, { output }: CommitNote, { written, guarantee }: CommittedSplit): OutputReceipt {
  return { ...output, step, written, guarantee }
}
