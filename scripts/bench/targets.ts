import { rm } from "node:fs/promises"
import type { Bench } from "./bench.ts"
import { type Content, mariadbContent, postgresContent } from "./content.ts"
import { postgresColumns } from "./data.ts"
import { capture } from "./measure.ts"
import { csvToPostgres } from "./references.ts"
import { runMariadb, runPostgres, runScript } from "./sql.ts"

/** Where a copy goes. */
export interface Target {
  /** Empties it; never measured. */
  reset(bench: Bench): Promise<void>
  /** Cheap, asked after every run. */
  rows(bench: Bench): Promise<number>
  /** Asked after the first run. */
  content(bench: Bench): Promise<Content>
}

export const postgresTarget: Target = tableTarget("public.u", "note")

/** The target of the flow that casts `d` and renames `note`. */
export const typedTarget: Target = tableTarget("public.u_typed", "remark")

export const mariadbTarget: Target = {
  reset: async (bench) => {
    await runMariadb(bench, "truncate table u")
  },
  rows: async (bench) => Number(await runMariadb(bench, "select count(*) from u")),
  content: (bench) => mariadbContent(bench, "u"),
}

/** A schema that the tool may change as it likes: some add columns, some insist on creating the table. */
export function peerTarget(table: "created" | "absent"): Target {
  return {
    reset: async (bench) => {
      const create = table === "created" ? `create table peer.t (${postgresColumns})` : ""
      await runPostgres(bench, `drop schema if exists peer cascade; create schema peer; ${create}`)
      await runPostgres(bench, "checkpoint")
    },
    rows: async (bench) => Number(await runPostgres(bench, "select count(*) from peer.t")),
    content: (bench) => postgresContent(bench, "peer.t"),
  }
}

/** A CSV file is checked by what PostgreSQL reads from it, so ways of writing the same value do not matter. */
export function csvTarget(path: string): Target {
  return {
    reset: (_bench) => rm(path, { force: true }),
    rows: async (_bench) => Number((await capture(["wc", "-l", path])).split(" ")[0]) - 1,
    content: async (bench) => {
      await runPostgres(bench, "truncate public.u")
      await runScript(bench, csvToPostgres(bench, path, "public.u"))
      const content = await postgresContent(bench, "public.u")
      await runPostgres(bench, "truncate public.u")
      return content
    },
  }
}

function tableTarget(table: string, note: string): Target {
  return {
    reset: async (bench) => {
      await runPostgres(bench, `truncate ${table}`)
      await runPostgres(bench, "checkpoint")
    },
    rows: async (bench) => Number(await runPostgres(bench, `select count(*) from ${table}`)),
    content: (bench) => postgresContent(bench, table, { note }),
  }
}
