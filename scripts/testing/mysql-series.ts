/** A table expression whose column `seq` counts from 0 to `rows` - 1, in the SQL of every version of MySQL and MariaDB. */
export function series(rows: number): string {
  const digits = Math.max(1, Math.ceil(Math.log10(rows)))
  const tens =
    "(SELECT 0 i UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)"
  const names = Array.from({ length: digits }, (_, at) => `d${at}`)
  const seq = names.map((name, at) => `${name}.i * ${10 ** at}`).join(" + ")
  const from = names.map((name) => `${tens} ${name}`).join(", ")
  return `(SELECT seq FROM (SELECT ${seq} AS seq FROM ${from}) AS counted WHERE seq < ${rows}) AS series`
}
