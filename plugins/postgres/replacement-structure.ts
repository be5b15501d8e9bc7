import type { Query } from "./catalog.ts"
import type { Relation } from "./replacement-server.ts"

/** What a table is made of, apart from what a swap brings along: what has the same `key` is the same but for its name. */
interface Part {
  readonly kind: string
  readonly name: string
  readonly key: string
}

/** What the stage's parts are to be called. */
export interface Rename {
  readonly kind: string
  readonly from: string
  readonly to: string
}

/**
 * Compares a table with the stage that was made like it. Names are told apart as far as columns have them; `assigned`
 * are columns whose values a partitioned table assigns: its partitions are not alike in that.
 */
export async function compare(
  query: Query,
  {
    table,
    stage,
    assigned,
  }: { readonly table: Relation; readonly stage: Relation; readonly assigned: readonly string[] },
): Promise<{ readonly renames: readonly Rename[]; readonly differences: readonly string[] }> {
  const parts = await partsOf(query, table, assigned)
  const staged = (await partsOf(query, stage, assigned)).filter(({ name }) => name !== PROOF)
  const renames: Rename[] = []
  const missing: Part[] = []
  for (const part of parts) {
    const alike = staged.filter((other) => other.kind === part.kind && other.key === part.key)
    const found = alike.find(({ name }) => name === part.name) ?? alike[0]
    if (found === undefined) {
      missing.push(part)
      continue
    }
    staged.splice(staged.indexOf(found), 1)
    if (found.name !== part.name) renames.push({ kind: part.kind, from: found.name, to: part.name })
  }
  const gone = staged.filter(({ kind, name }) => !missing.some((part) => part.kind === kind && part.name === name))
  return {
    renames,
    differences: [
      ...missing.map(({ kind, name }) => (kind === "table" ? "where or how it is stored" : `${kind} "${name}"`)),
      ...gone.filter(({ kind }) => kind !== "table").map(({ kind, key }) => `${kind} ${key}`),
    ],
  }
}

async function partsOf(query: Query, relation: Relation, assigned: readonly string[]): Promise<Part[]> {
  const rows = await query(PARTS, [relation.oid, JSON.stringify(assigned)])
  return rows.map(([kind, name, key]) => ({ kind: kind!, name: name!, key: key! }))
}

/** The constraint by which the rows of a stage are known to belong to a partition. */
export const PROOF = "headrace_partition_bound"

/** A constraint that was not valid is so in the stage, which has checked every row. */
const PARTS = `
  WITH me AS (SELECT c.*, quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS sql
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1::oid)
  SELECT 'table', '', concat_ws(' ', me.relpersistence, a.amname, t.spcname)
  FROM me LEFT JOIN pg_am a ON a.oid = me.relam LEFT JOIN pg_tablespace t ON t.oid = me.reltablespace
  UNION ALL
  SELECT 'column', a.attname, concat_ws(' ',
    quote_ident(a.attname), row_number() OVER (ORDER BY a.attnum), format_type(a.atttypid, a.atttypmod),
    CASE WHEN a.attcollation <> t.typcollation THEN 'COLLATE ' || a.attcollation END,
    CASE WHEN a.attnotnull THEN 'NOT NULL' END, 'STORAGE ' || a.attstorage::text,
    'COMPRESSION ' || NULLIF(to_jsonb(a) ->> 'attcompression', ''), 'GENERATED ' || NULLIF(a.attgenerated::text, ''),
    CASE WHEN a.attname IN (SELECT jsonb_array_elements_text($2::text::jsonb)) THEN NULL
      WHEN a.attidentity <> '' THEN concat_ws(' ', 'IDENTITY', a.attidentity, s.seqstart,
        s.seqincrement, s.seqmin, s.seqmax, s.seqcache, s.seqcycle)
      ELSE 'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid) END)
  FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  LEFT JOIN pg_depend p ON p.classid = 'pg_class'::regclass AND p.refclassid = 'pg_class'::regclass
    AND p.refobjid = a.attrelid AND p.refobjsubid = a.attnum AND p.deptype = 'i'
  LEFT JOIN pg_sequence s ON s.seqrelid = p.objid
  WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  SELECT 'index', c.relname, concat_ws(' ', CASE WHEN i.indisunique THEN 'UNIQUE' END,
    substr(pg_get_indexdef(c.oid), strpos(pg_get_indexdef(c.oid), me.sql || ' USING ') + length(me.sql) + 1), t.spcname,
    pg_get_constraintdef(k.oid))
  FROM me JOIN pg_index i ON i.indrelid = me.oid JOIN pg_class c ON c.oid = i.indexrelid
  LEFT JOIN pg_tablespace t ON t.oid = c.reltablespace
  LEFT JOIN pg_constraint k ON k.conindid = c.oid AND k.conrelid = me.oid AND k.contype IN ('p', 'u', 'x')
  UNION ALL
  SELECT 'constraint', k.conname, replace(regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', ''),
    ' REFERENCES ' || me.sql || '(', ' REFERENCES itself(')
  FROM me JOIN pg_constraint k ON k.conrelid = me.oid AND k.contype IN ('c', 'f', 'n')
    AND NOT EXISTS (SELECT FROM pg_constraint p WHERE p.oid = k.conparentid AND p.conrelid = k.conrelid)
  UNION ALL
  SELECT 'statistics', s.stxname, substr(d.text, length(d.head) + 1, length(d.text) - length(d.head) - length(' FROM ' || me.sql))
  FROM me JOIN pg_statistic_ext s ON s.stxrelid = me.oid JOIN pg_namespace n ON n.oid = s.stxnamespace
  CROSS JOIN LATERAL (SELECT pg_get_statisticsobjdef(s.oid) AS text,
    format('CREATE STATISTICS %I.%I ', n.nspname, s.stxname) AS head) AS d
  ORDER BY 1, 2`
