/**
 * PostgreSQL's texts hold neither NUL characters nor halves of surrogate pairs; values of rejected rows and messages of
 * servers may. They are kept as a noncharacter with the code behind it, and come back as they were.
 */
export function toPostgres<A>(value: A): A | string {
  if (typeof value !== "string" || (!SPECIAL.test(value) && value.isWellFormed())) return value
  return value.replace(UNKEEPABLE, (unit) => `${MARK}${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
}

export function fromPostgres<A>(value: A): A | string {
  if (typeof value !== "string" || !value.includes(MARK)) return value
  return value.replace(KEPT, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
}

const MARK = "\ufdd0"
// biome-ignore lint/suspicious/noControlCharactersInRegex: NUL is what is looked for
const SPECIAL = /[\0\ufdd0]/
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above
const UNKEEPABLE = /[\0\ufdd0]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g
const KEPT = /\ufdd0([0-9a-f]{4})/g
