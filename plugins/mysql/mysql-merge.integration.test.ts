import { expect, test } from "bun:test"
import { onServers } from "./testdata/servers.ts"

onServers(({ bed, mariadb }) => {
  // Only MariaDB keeps statistics that are set by hand, and makes rows of a sequence.
  if (!mariadb) return

  test("mysql reads and locks only the rows that it merges, however small it takes the table for", async () => {
    await using at = await bed()
    const { connection, session } = at
    // As a server sees a table that others are filling.
    await connection.execute("create table t (id int primary key, s varchar(5), n decimal(6,2)) charset utf8mb4")
    await connection.query("analyze table t persistent for all")
    await connection.execute("insert into t select seq, 'old', 1 from seq_0_to_19999")
    const columns = await at.columns("t")
    for (const mode of ["updateRows", "overwriteRows"] as const) {
      async function* batches() {
        const rows = Array.from({ length: 200 }, (_, i) => ({ id: i * 100, s: i === 150 ? "toolong" : "new", n: null }))
        yield session.batches.fromRows(
          columns.map((column) => ({
            ...column,
            type: column.name === "s" ? ({ kind: "string" } as const) : column.type,
          })),
          rows,
        )
      }
      // With a second unique key the rows go over a temporary table in every mode.
      if (mode === "overwriteRows") await connection.execute("alter table t add unique key both_of (n, id)")
      await connection.begin()
      await connection.load(
        { table: { name: "t" }, columns, mode, keyColumns: ["id"], options: {} },
        batches(),
        session,
      )
      const [[locked] = []] = await connection.query(
        "select trx_rows_locked from information_schema.INNODB_TRX where trx_mysql_thread_id = connection_id()",
      )
      await connection.rollback()
      expect(Number(locked)).toBeLessThan(15_000)
    }
  })
})
