import { type Access, access, type Place } from "./database.ts"
import { presentRows, sourceRows, tabbed, type Values } from "./rows.ts"
import type { Shape } from "./shape.ts"

export const SOURCE_TABLE = "orders"
export const TARGET_TABLE = "orders_copy"

/** Makes the table that is read, and fills it. */
export async function makeSource(place: Place, shape: Shape): Promise<void> {
  await using connection = await access(place)
  const { text, time, suffix } = types(place)
  await connection.execute(
    `CREATE TABLE ${SOURCE_TABLE} (id bigint PRIMARY KEY, code varchar(40) NOT NULL, name varchar(80), amount decimal(12,2), qty ${shape.bad === "typed" ? "varchar(20)" : "int"}, at ${time}, note ${text})${suffix}`,
  )
  await connection.load(SOURCE_TABLE, tabbed(sourceRows(shape)))
  await analyze(connection, place, SOURCE_TABLE)
}

/** Makes the table that is written, as it is before the run. */
export async function makeTarget(place: Place, shape: Shape): Promise<void> {
  await using connection = await access(place)
  const { text, time, suffix } = types(place)
  const { bad } = shape
  const constraints = [
    // Without a key a row that comes twice is there twice, instead of being rejected.
    ...(shape.mode === "append" && bad !== "refused" ? [] : ["PRIMARY KEY (id)"]),
    ...(bad === "refused" ? ["UNIQUE (code)", "CHECK (amount >= 0)"] : []),
  ]
  const columns = [
    "id bigint NOT NULL",
    "code varchar(40) NOT NULL",
    `name varchar(${bad === "typed" ? 40 : 80})`,
    "amount decimal(12,2)",
    "qty int",
    `at ${time}`,
    `note ${text}${bad === "typed" ? " NOT NULL" : ""}`,
    "extra varchar(20) NOT NULL DEFAULT 'fresh'",
    ...constraints,
  ]
  await connection.execute(`CREATE TABLE ${TARGET_TABLE} (${columns.join(", ")})${suffix}`)
  await connection.load(TARGET_TABLE, tabbed(presentRows(shape)))
  await analyze(connection, place, TARGET_TABLE)
}

/** All rows of the target as text. */
export async function readTarget(place: Place): Promise<readonly Values[]> {
  await using connection = await access(place)
  const chars = (name: string) => (isPostgres(place) ? `${name}::text` : `CAST(${name} AS char)`)
  const at = isPostgres(place) ? "to_char(at, 'YYYY-MM-DD HH24:MI:SS.US')" : "DATE_FORMAT(at, '%Y-%m-%d %H:%i:%s.%f')"
  const list = [chars("id"), "code", "name", chars("amount"), chars("qty"), at, "note", "extra"]
  return await connection.query(`SELECT ${list.join(", ")} FROM ${TARGET_TABLE}`)
}

/** So that planning does not differ between the first run and the next. */
async function analyze(connection: Access, place: Place, table: string): Promise<void> {
  await connection.execute(isPostgres(place) ? `ANALYZE ${table}` : `ANALYZE TABLE ${table}`)
}

function isPostgres({ service }: Place): boolean {
  return service.kind === "postgres"
}

function types(place: Place): { readonly text: string; readonly time: string; readonly suffix: string } {
  if (isPostgres(place)) return { text: "text", time: "timestamp(6)", suffix: "" }
  return { text: "text", time: "datetime(6)", suffix: " ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin" }
}
