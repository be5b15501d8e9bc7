import { Effect } from "effect"
import type { CommittedSplit } from "../contract/index.ts"
import { failure, type PluginError, pluginError } from "../host/failure.ts"
import type { Resumed } from "./journal.ts"
import { splitId, type Work } from "./split-run.ts"
import { committedOf, outputsOf, type Workshop } from "./work.ts"

/** What earlier attempts have committed, by split and output. */
export type Earlier = ReadonlyMap<string, ReadonlyMap<string, CommittedSplit>>

/**
 * Asks the outputs what earlier attempts have committed, once these cannot commit any more, and refuses to mix states of
 * a source: what is left of an input can be read only as the source is now. The journal does not know what was committed
 * in the moment before a crash; the ledgers do.
 */
export const findEarlier = Effect.fnUntraced(function* (
  shop: Workshop,
  works: readonly Work[],
  resumed: Resumed | undefined,
): Effect.fn.Return<Earlier, PluginError> {
  const found = yield* Effect.forEach(
    works,
    (work) =>
      Effect.map(committedOf(shop, outputsOf(shop, work), splitId(work)), (split) => [splitId(work), split] as const),
    { concurrency: shop.plan.settings.parallel },
  )
  const earlier: Earlier = new Map(found)
  for (const [split, outputs] of earlier)
    for (const [step, { written }] of outputs) shop.context.committed(step, split, written)
  for (const [step, input] of resumed?.inputs ?? []) {
    const splits = works.filter((work) => work.input.id === step)
    const refusal = refusalOf(shop, step, splits, {
      earlier,
      oneSnapshot: input.oneSnapshot,
      mayMix: resumed?.mayMix ?? false,
    })
    if (refusal !== undefined) return yield* Effect.fail(pluginError(refusal, step))
  }
  return earlier
})

interface Judgement {
  readonly earlier: Earlier
  readonly oneSnapshot: boolean
  readonly mayMix: boolean
}

function refusalOf(shop: Workshop, step: string, works: readonly Work[], { earlier, oneSnapshot, mayMix }: Judgement) {
  const count = (work: Work) => earlier.get(splitId(work))?.size ?? 0
  const touched = works.filter((work) => count(work) > 0)
  const left = works.filter((work) => count(work) < outputsOf(shop, work).length)
  const volatile = left.filter(({ split }) => split.volatile === true)
  if (touched.length === 0 || left.length === 0 || (!oneSnapshot && volatile.length === 0)) return undefined
  if (volatile.length === 0 && mayMix) return undefined
  const { runId } = shop.plan
  const cannot = `Cannot go on with run ${runId}: input "${step}" had one state of the data for all splits, and it is gone. ${touched.length} of ${works.length} splits are committed, ${left.length} are left`
  const restart = `begin anew: headrace resume ${runId} --restart`
  // What is staged has to stay: this is a question, not an end.
  return volatile.length > 0
    ? failure("conflict", `${cannot}, and they mean other rows in another state`, { hint: `B${restart.slice(1)}` })
    : failure("conflict", `${cannot}, which can only be read as the source is now`, {
        hint: `Accept that: headrace resume ${runId} --new-snapshot. Or ${restart}`,
      })
}
