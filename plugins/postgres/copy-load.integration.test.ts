import { expect, test } from "bun:test"
import type { LoadRequest } from "../../core/contract/index.ts"
import { postgres } from "../../scripts/services/services.ts"
import { testSession } from "../../scripts/testing/session.ts"
import { connect } from "./postgres-connection.ts"

const ROWS = 20_000
/** Chunks of 32 KiB hold some 700 rows: so the bad ones lie in every chunk, in some, and in neighbours. */
const REFUSED = {
  "in every chunk": "i % 300 = 0",
  "in two neighbours": "i IN (5000, 5600, 5601)",
  "at both ends": "i IN (1, 20000)",
  "in long runs": "i BETWEEN 3000 AND 4500",
} as const

test.each(
  Object.entries(REFUSED).flatMap(([where, bad]) =>
    (["append", "overwriteRows"] as const).flatMap((mode) =>
      [undefined, "postgres-copy-binary"].map((encoding) => [where, mode, encoding, bad] as const),
    ),
  ),
)(
  "postgres rejects the bad rows %s, and only them, with chunks on their way: %s, %s",
  async (_, mode, encoding, bad) => {
    const server = await postgres()
    const { host, port, user, password } = server
    const at = { host, port, user, password, database: await server.createDatabase("load"), tls: "auto" as const }
    const session = testSession({ settings: { bufferBytes: 65_536, batchRows: 100 } })
    const source = await connect(at, testSession())
    const target = await connect(at, session)
    await source.execute(
      `CREATE TABLE s (i int8, note text);
     INSERT INTO s SELECT i, CASE WHEN ${bad} THEN 'bad' ELSE repeat('x', 30) END FROM generate_series(1, ${ROWS}) AS i;
     CREATE TABLE t (i int8 PRIMARY KEY, note text CHECK (note <> 'bad'))`,
    )
    const { columns } = (await target.describeTable({ name: "t" }))!
    const read = { sql: "SELECT i, note FROM s ORDER BY i", columns, options: {}, ...(encoding && { encoding }) }
    const load: LoadRequest = { table: { name: "t" }, columns, mode, keyColumns: ["i"], options: {} }
    await target.begin()
    const { written } = await target.load(load, source.read(read, session), session)
    await target.commit()
    const refused = (await source.query(`SELECT i FROM s WHERE ${bad} ORDER BY i`)).map(([i]) => Number(i))
    expect(session.rejected.map(({ row }) => row + 1)).toEqual(refused)
    expect(session.rejected.map(({ record }) => Number(record?.i))).toEqual(refused)
    expect(written).toBe(ROWS - refused.length)
    expect(await source.query(`SELECT count(*), sum(i) FROM t`)).toEqual(
      await source.query(`SELECT count(*), sum(i) FROM s WHERE NOT (${bad})`),
    )
    await source.close()
    await target.close()
  },
)
