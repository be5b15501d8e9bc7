import { useDraft } from "./draft.ts"

/** A draft that knows which version it is a change of, also when the page was loaded again meanwhile. */
export function useVersionedDraft<T>(key: string, saved: T, version: number) {
  const draft = useDraft<{ readonly value: T; readonly base: number }>(key, { value: saved, base: version })
  const isChanged = JSON.stringify(draft.value.value) !== JSON.stringify(saved)
  // Whoever has changed nothing has begun with what there is now.
  const base = isChanged ? draft.value.base : version
  return {
    value: isChanged ? draft.value.value : saved,
    base,
    isChanged,
    /** Somebody else has saved since this was begun. */
    isStale: isChanged && base !== version,
    change: (value: T) => draft.change({ value, base }),
    discard: draft.discard,
  }
}
