import type {
  Batch,
  Columns,
  Frame,
  Input,
  InputPlan,
  Output,
  OutputPlan,
  Plugin,
  Router,
  Row,
  Session,
  Sink,
  Source,
  Split,
  Transform,
} from "../../core/contract/index.ts"
import { plugins } from "../../plugins/registry.gen.ts"

/** Components made in a test, to do on purpose what good ones never do, beside the built-in ones. */
export function probePlugins(...components: Plugin["components"]): readonly Plugin[] {
  const probe: Plugin = { name: "probe", version: "1.0.0", engine: 1, permissions: {}, components }
  return [...plugins, probe]
}

export const idColumn: Columns = [{ name: "id", type: { kind: "int32" }, nullable: false }]

export function batchOfIds(session: Session, from: number, to: number): Batch {
  const rows = Array.from({ length: to - from }, (_, i): Row => ({ id: from + i }))
  return session.batches.fromRows(idColumn, rows, from)
}

interface ProbeInput {
  readonly id?: string
  readonly columns?: Columns
  readonly splits?: number
  readonly plan?: (wanted: readonly string[] | undefined, session: Session) => Partial<InputPlan> | Promise<InputPlan>
  readonly open?: (session: Session) => Promise<void>
  readonly read?: (split: Split, session: Session) => AsyncIterable<Batch | Frame>
  readonly dispose?: () => Promise<void>
}

/** An input of one int32 column `id` with ten rows a split, unless it is told otherwise. */
export function probeInput(probe: ProbeInput = {}): Input {
  const columns = probe.columns ?? idColumn
  return {
    ...described(probe.id ?? "probe-input"),
    kind: "input",
    async plan(_, request, session) {
      const wanted = request.columns
      const chosen = wanted?.map((name) => columns.find((column) => column.name === name)!) ?? columns
      const plan = { columns: chosen, encodings: [], notes: [], issues: [] }
      return { ...plan, ...(await probe.plan?.(wanted, session)) }
    },
    async open(_config, _request, session): Promise<Source> {
      await probe.open?.(session)
      const splits = Array.from({ length: probe.splits ?? 1 }, (_, i) => ({
        id: String(i),
        label: `split ${i}`,
        state: i,
      }))
      return {
        splits,
        oneSnapshot: true,
        read: (split, at) => probe.read?.(split, at) ?? tenIds(Number(split.id), at),
        [Symbol.asyncDispose]: async () => await probe.dispose?.(),
      }
    },
  }
}

async function* tenIds(split: number, session: Session) {
  yield batchOfIds(session, split * 10, split * 10 + 10)
}

interface ProbeOutput extends Partial<Omit<Sink, "write" | typeof Symbol.asyncDispose>> {
  readonly id?: string
  readonly plan?: (input: Columns) => Partial<OutputPlan>
  readonly open?: (session: Session) => Promise<void>
  readonly write?: Sink["write"]
  readonly dispose?: () => Promise<void>
}

/** An output that counts its rows, unless it is told otherwise. */
export function probeOutput(probe: ProbeOutput = {}): Output {
  return {
    ...described(probe.id ?? "probe-output"),
    kind: "output",
    async plan(_, input) {
      return { uses: input.map(({ name }) => name), encodings: [], issues: [], notes: [], ...probe.plan?.(input) }
    },
    async open(_config, _request, session): Promise<Sink> {
      await probe.open?.(session)
      return {
        write: probe.write ?? counted,
        finish: probe.finish ?? (async () => {}),
        abort: probe.abort ?? (async () => {}),
        ...(probe.committed === undefined ? {} : { committed: probe.committed }),
        [Symbol.asyncDispose]: async () => await probe.dispose?.(),
      }
    },
  }
}

export const counted: Sink["write"] = async (_split, rows) => {
  let written = 0
  for await (const item of rows) written += item.rows
  return { written, guarantee: "at-least-once" }
}

/** Collects the values of column `id` that come to an output. */
export function idCollector(id: string): { readonly output: Output; readonly ids: number[] } {
  const ids: number[] = []
  const output = probeOutput({
    id,
    async write(_split, rows, session) {
      let written = 0
      for await (const item of rows) {
        if (item.encoding !== undefined) throw session.failure("protocol", "Cannot collect frames")
        for (const row of session.batches.rows(item)) ids.push(Number(row.id))
        written += item.rows
      }
      return { written, guarantee: "at-least-once" }
    },
  })
  return { output, ids }
}

/** A transform that passes its columns on. */
export function probeTransform(id: string, apply: Transform["apply"]): Transform {
  return {
    ...described(id),
    kind: "transform",
    plan: (_, { input }) => ({ columns: input, requires: input.map(({ name }) => name), issues: [] }),
    apply,
  }
}

export function probeRouter(id: string, branches: readonly string[], route: Router["route"]): Router {
  return {
    ...described(id),
    kind: "router",
    plan: (_, { input }) => ({ branches, requires: input.map(({ name }) => name), issues: [] }),
    route,
  }
}

function described(id: string) {
  return {
    id,
    title: id,
    summary: "Made in a test.",
    config: { type: "object", properties: {}, additionalProperties: false } as const,
    examples: [],
  }
}
