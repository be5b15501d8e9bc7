import type { ShownSource, SourceDraft } from "../../../../core/server/sources/source-registry.ts"
import { type ConfigSchema, isSecret, type OptionTexts, settingsOf, textsOf } from "./config-schema.ts"

/** A data source while it is typed. */
export interface SourceForm {
  readonly name: string
  readonly description: string
  readonly concurrency: string
  readonly hasDev: boolean
  readonly prod: OptionTexts
  readonly dev: OptionTexts
  /** Secrets that are to be removed. */
  readonly removed: { readonly prod: readonly string[]; readonly dev: readonly string[] }
}

export function newForm(schema: ConfigSchema): SourceForm {
  const texts = textsOf(schema, {})
  return {
    ...{ name: "", description: "", concurrency: "", hasDev: false, prod: texts, dev: texts },
    removed: { prod: [], dev: [] },
  }
}

export function formOf(source: ShownSource, schema: ConfigSchema): SourceForm {
  const { name, description, concurrency, prod, dev } = source
  return {
    ...{ name, description, concurrency: concurrency === null ? "" : String(concurrency), hasDev: dev !== undefined },
    ...{ prod: textsOf(schema, prod), dev: textsOf(schema, dev ?? {}) },
    removed: { prod: [], dev: [] },
  }
}

export function draftOf(type: string, form: SourceForm, schema: ConfigSchema): SourceDraft {
  return {
    ...{ name: form.name.trim(), type, description: form.description },
    prod: settingsOf(schema, form.prod, new Set(form.removed.prod)),
    ...(form.hasDev && { dev: settingsOf(schema, form.dev, new Set(form.removed.dev)) }),
    concurrency: form.concurrency === "" ? null : Number(form.concurrency),
  }
}

/** What may be kept in the browser: all but secrets. */
export function withoutSecrets(form: SourceForm, schema: ConfigSchema): SourceForm {
  const clean = (texts: OptionTexts): OptionTexts =>
    Object.fromEntries(
      Object.entries(texts).map(([name, value]) => [name, isSecret(schema.properties?.[name] ?? {}) ? "" : value]),
    )
  return { ...form, prod: clean(form.prod), dev: clean(form.dev) }
}
