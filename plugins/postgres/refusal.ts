import type { RejectedRow } from "../../core/contract/index.ts"
import { serverError } from "./failures.ts"

/** A row that the server refuses, in the words of the server, with the column to blame where it names one. */
export function refusal(
  error: unknown,
  record: Readonly<Record<string, string | null>>,
  row: number,
): RejectedRow & { readonly record: Readonly<Record<string, string | null>> } {
  const { message, code, column, where, detail } = serverError(error)
  const candidates = [column, keyOf(detail), columnOf(where)]
  const blamed = candidates.find((name) => name !== undefined && Object.hasOwn(record, name))
  return {
    row,
    reason: detail === undefined ? message : `${message}: ${detail}`,
    code,
    record,
    ...(blamed === undefined ? {} : { column: blamed, value: record[blamed] ?? null }),
  }
}

/** The line that `COPY t, line 5, column c: "x"` names, whatever the server's language; NaN when there is none. */
export function lineOf(error: unknown, relation: string): number {
  const start = `COPY ${relation}, `
  const line = (serverError(error).where ?? "").split("\n").find((each) => each.startsWith(start))
  return Number(/\d+/.exec(line?.slice(start.length) ?? "")?.[0] ?? Number.NaN)
}

/** True for a foreign key that leads from the table to itself: its parent may only come later. */
export function refersToOwnTable(error: unknown, table: string): boolean {
  const { code, detail } = serverError(error)
  return code === "23503" && (detail?.split(")=(").at(-1)?.includes(`"${table}"`) ?? false)
}

/** The first column of `Key (a, b)=(1, 2) already exists.` */
function keyOf(detail: string | undefined): string | undefined {
  const [name] = /\((.+?)\)=\(/.exec(detail ?? "")?.[1]?.split(", ") ?? []
  return name?.replace(/^"(.*)"$/, (_, quoted: string) => quoted.replaceAll('""', '"'))
}

function columnOf(where: string | undefined): string | undefined {
  return /^COPY .*?, \D*\d+, \S+ (.+?)(?::|$)/m.exec(where ?? "")?.[1]
}
