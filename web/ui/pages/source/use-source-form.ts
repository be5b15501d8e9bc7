import { useState } from "react"
import { useVersionedDraft } from "../../parts/versioned-draft.ts"
import { type ConfigSchema, isSecret, type OptionTexts } from "./config-schema.ts"
import { type SourceForm, withoutSecrets } from "./source-draft.ts"

/** A form that is kept in the browser tab, save its secrets: these live in memory only. */
export function useSourceForm(key: string, saved: SourceForm, schema: ConfigSchema, version = 0) {
  const draft = useVersionedDraft(key, saved, version)
  const [secrets, setSecrets] = useState<{ readonly prod: OptionTexts; readonly dev: OptionTexts }>({
    prod: {},
    dev: {},
  })
  const form: SourceForm = {
    ...draft.value,
    prod: { ...draft.value.prod, ...secrets.prod },
    dev: { ...draft.value.dev, ...secrets.dev },
  }
  const set = (part: Partial<SourceForm>) => {
    const next = { ...form, ...part }
    setSecrets({ prod: secretsOf(next.prod, schema), dev: secretsOf(next.dev, schema) })
    draft.change(withoutSecrets(next, schema))
  }
  const discard = () => {
    setSecrets({ prod: {}, dev: {} })
    draft.discard()
  }
  const isTyped = [secrets.prod, secrets.dev].some((texts) => Object.values(texts).some((text) => text !== ""))
  return { form, set, discard, base: draft.base, isStale: draft.isStale, isChanged: draft.isChanged || isTyped }
}

function secretsOf(texts: OptionTexts, schema: ConfigSchema): OptionTexts {
  return Object.fromEntries(Object.entries(texts).filter(([name]) => isSecret(schema.properties?.[name] ?? {})))
}
