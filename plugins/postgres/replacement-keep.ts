import type { Query } from "./catalog.ts"
import { quoteIdentifier, quoteLiteral } from "./postgres-dialect.ts"
import { type Relation, texts } from "./replacement-server.ts"
import type { Rename } from "./replacement-structure.ts"

/** A sequence of an identity column, in the table and in its stage. */
interface SequencePair {
  readonly oid: string
  readonly schema: string
  readonly name: string
  readonly staged: string
  readonly stagedOid: string
  readonly increment: string
  /** What it counts in, where LIKE has taken another type than the table's. */
  readonly type: string | null
}

/** Storage parameters and what is set for columns: statements that make the stage the same; oid 0 is one to be made. */
export async function settingStatements(
  query: Query,
  table: Relation,
  stage: Pick<Relation, "oid" | "sql">,
): Promise<readonly string[]> {
  return await texts(query, SETTINGS, [table.oid, stage.oid, stage.sql])
}

/** What is done to the stage while the table is still there: its owner, and the sequences. */
export async function takeOver(query: Query, table: Relation, stage: Relation): Promise<readonly string[]> {
  const statements = [
    ...(await texts(query, OWNER, [table.oid, stage.oid, stage.sql])),
    ...(await settingStatements(query, table, stage)),
    ...(await texts(query, SERIALS, [table.oid, stage.sql])),
  ]
  for (const pair of await sequencePairs(query, table, stage)) {
    if (pair.type !== null) statements.push(`ALTER SEQUENCE ${pair.staged} AS ${pair.type}`)
    const kept = await position(query, `${quoteIdentifier(pair.schema)}.${quoteIdentifier(pair.name)}`, pair.increment)
    const staged = await position(query, pair.staged, pair.increment)
    const isAhead = pair.increment.startsWith("-") ? kept.next < staged.next : kept.next > staged.next
    const { value, called } = isAhead ? kept : staged
    statements.push(`SELECT pg_catalog.setval(${quoteLiteral(pair.staged)}, ${value}, ${called})`)
  }
  return statements
}

/** What is done once the stage has taken the table's name: names, grants, comments, triggers and marks. */
export async function bringAlong(
  query: Query,
  {
    table,
    stage,
    renames,
  }: { readonly table: Relation; readonly stage: Relation; readonly renames: readonly Rename[] },
): Promise<readonly string[]> {
  const pairs = await sequencePairs(query, table, stage)
  const schema = quoteIdentifier(table.schema)
  const statements = pairs
    .filter(({ name, staged }) => staged !== `${schema}.${quoteIdentifier(name)}`)
    .map(({ name, staged }) => `ALTER SEQUENCE ${staged} RENAME TO ${quoteIdentifier(name)}`)
  for (const { kind, from, to } of renames) {
    const [old, name] = [quoteIdentifier(from), quoteIdentifier(to)]
    if (kind === "index") statements.push(`ALTER INDEX ${schema}.${old} RENAME TO ${name}`)
    if (kind === "statistics") statements.push(`ALTER STATISTICS ${schema}.${old} RENAME TO ${name}`)
    if (kind === "constraint") statements.push(`ALTER TABLE ${table.sql} RENAME CONSTRAINT ${old} TO ${name}`)
  }
  const given = [{ kind: "TABLE", name: table.sql, oid: table.oid, stagedOid: stage.oid }]
  for (const { oid, name, stagedOid } of pairs)
    given.push({ kind: "SEQUENCE", name: `${schema}.${quoteIdentifier(name)}`, oid, stagedOid })
  for (const { kind, name, oid, stagedOid } of given)
    statements.push(...(await texts(query, GRANTS, [oid, stagedOid, kind, name])))
  const sequences = JSON.stringify(pairs.map(({ oid }) => oid))
  statements.push(...(await texts(query, TRIGGERS, [table.oid, table.sql])))
  statements.push(...(await texts(query, MARKS, [table.oid, table.sql])))
  statements.push(...(await texts(query, COMMENTS, [table.oid, table.sql, sequences])))
  return statements
}

/** Where a sequence stands, and what it gives next. */
async function position(
  query: Query,
  sequence: string,
  increment: string,
): Promise<{ readonly value: string; readonly called: boolean; readonly next: bigint }> {
  const [row] = await query(`SELECT last_value, is_called FROM ${sequence}`)
  const [value, called] = [row![0]!, row![1] === "t"]
  return { value, called, next: called ? BigInt(value) + BigInt(increment) : BigInt(value) }
}

async function sequencePairs(query: Query, table: Relation, stage: Relation): Promise<readonly SequencePair[]> {
  const rows = await query(SEQUENCES, [table.oid, stage.oid])
  return rows.map((row) => {
    const [oid, schema, name, staged, stagedOid, increment] = row as [string, string, string, string, string, string]
    return { oid, schema, name, staged, stagedOid, increment, type: row[6] ?? null }
  })
}

const SEQUENCES = `
  SELECT c.oid, n.nspname, c.relname, other.oid::regclass, other.oid, s.seqincrement,
    CASE WHEN s.seqtypid <> o.seqtypid THEN s.seqtypid::regtype END
  FROM pg_attribute a
  JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = a.attrelid
    AND d.refobjsubid = a.attnum AND d.deptype = 'i'
  JOIN pg_sequence s ON s.seqrelid = d.objid
  JOIN pg_class c ON c.oid = d.objid JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute b ON b.attrelid = $2::oid AND b.attname = a.attname
  JOIN pg_depend e ON e.classid = 'pg_class'::regclass AND e.refclassid = 'pg_class'::regclass AND e.refobjid = b.attrelid
    AND e.refobjsubid = b.attnum AND e.deptype = 'i'
  JOIN pg_class other ON other.oid = e.objid JOIN pg_sequence o ON o.seqrelid = other.oid
  WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`

const OWNER = `
  SELECT format('ALTER TABLE %s OWNER TO %I', $3::text, pg_get_userbyid(t.relowner))
  FROM pg_class t, pg_class s WHERE t.oid = $1::oid AND s.oid = $2::oid AND s.relowner <> t.relowner`

const SERIALS = `
  SELECT format('ALTER SEQUENCE %s OWNED BY %s.%I', d.objid::regclass, $2::text, a.attname)
  FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
  JOIN pg_class c ON c.oid = d.objid AND c.relkind = 'S'
  WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = $1::oid AND d.deptype = 'a'
  ORDER BY c.oid`

const SETTINGS = `
  WITH stored AS (
    SELECT c.oid, '' AS space, o.option_name AS name, o.option_value AS value
    FROM pg_class c CROSS JOIN LATERAL pg_options_to_table(c.reloptions) AS o WHERE c.oid IN ($1::oid, $2::oid)
    UNION ALL
    SELECT c.oid, 'toast.', o.option_name, o.option_value
    FROM pg_class c JOIN pg_class t ON t.oid = c.reltoastrelid
    CROSS JOIN LATERAL pg_options_to_table(t.reloptions) AS o WHERE c.oid IN ($1::oid, $2::oid)
  ), known AS (
    SELECT attrelid AS oid, attname, COALESCE(to_jsonb(a) ->> 'attstattarget', '-1') AS target, attoptions
    FROM pg_attribute a WHERE attrelid IN ($1::oid, $2::oid) AND attnum > 0 AND NOT attisdropped
  )
  SELECT format('ALTER TABLE %s RESET (%s%I)', $3::text, s.space, s.name) FROM stored s
  WHERE s.oid = $2::oid AND NOT EXISTS (SELECT FROM stored t WHERE t.oid = $1::oid AND t.space = s.space AND t.name = s.name)
  UNION ALL
  SELECT format('ALTER TABLE %s SET (%s%I = %L)', $3::text, t.space, t.name, t.value) FROM stored t
  WHERE t.oid = $1::oid AND NOT EXISTS (SELECT FROM stored s WHERE s.oid = $2::oid AND (s.space, s.name, s.value) = (t.space, t.name, t.value))
  UNION ALL
  SELECT format('ALTER TABLE %s ALTER COLUMN %I SET STATISTICS %s', $3::text, t.attname, t.target)
  FROM known t LEFT JOIN known s ON s.oid = $2::oid AND s.attname = t.attname
  WHERE t.oid = $1::oid AND t.target <> COALESCE(s.target, '-1')
  UNION ALL
  SELECT format('ALTER TABLE %s ALTER COLUMN %I SET (%I = %L)', $3::text, t.attname, o.option_name, o.option_value)
  FROM known t LEFT JOIN known s ON s.oid = $2::oid AND s.attname = t.attname
  CROSS JOIN LATERAL pg_options_to_table(t.attoptions) AS o
  WHERE t.oid = $1::oid AND s.attoptions IS DISTINCT FROM t.attoptions`

/** Default privileges of the role may have given rights to the stage that nobody has to the table. */
const GRANTS = `
  WITH t AS (SELECT * FROM pg_class WHERE oid = $1::oid), s AS (SELECT * FROM pg_class WHERE oid = $2::oid),
  kind AS (SELECT CASE $3::text WHEN 'SEQUENCE' THEN 's' ELSE 'r' END::"char" AS letter)
  SELECT line FROM (
    SELECT DISTINCT 1, format('REVOKE ALL ON %s %s FROM %s', $3::text, $4::text, r.name)
    FROM t, kind, s CROSS JOIN LATERAL aclexplode(COALESCE(s.relacl, acldefault(letter, s.relowner))) AS x
    CROSS JOIN LATERAL (SELECT CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(x.grantee)) END) AS r(name)
    WHERE t.relacl IS DISTINCT FROM s.relacl
    UNION ALL
    SELECT DISTINCT 2, format('GRANT %s ON %s %s TO %s%s', x.privilege_type, $3::text, $4::text, r.name,
      CASE WHEN x.is_grantable THEN ' WITH GRANT OPTION' END)
    FROM s, kind, t CROSS JOIN LATERAL aclexplode(COALESCE(t.relacl, acldefault(letter, t.relowner))) AS x
    CROSS JOIN LATERAL (SELECT CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(x.grantee)) END) AS r(name)
    WHERE t.relacl IS DISTINCT FROM s.relacl
    UNION ALL
    SELECT DISTINCT 3, format('GRANT %s (%I) ON %s TO %s%s', x.privilege_type, a.attname, $4::text, r.name,
      CASE WHEN x.is_grantable THEN ' WITH GRANT OPTION' END)
    FROM pg_attribute a CROSS JOIN LATERAL aclexplode(a.attacl) AS x
    CROSS JOIN LATERAL (SELECT CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(x.grantee)) END) AS r(name)
    WHERE a.attrelid = $1::oid AND NOT a.attisdropped AND $3::text = 'TABLE'
  ) AS found(rank, line) ORDER BY rank, line`

/** Triggers that a partition has from the table above it come back with it. */
const TRIGGERS = `
  SELECT line FROM (
    SELECT tgname, 1, pg_get_triggerdef(oid) FROM pg_trigger t
    WHERE tgrelid = $1::oid AND NOT tgisinternal AND COALESCE(to_jsonb(t) ->> 'tgparentid', '0') = '0'
    UNION ALL
    SELECT tgname, 2, format('ALTER TABLE %s %s TRIGGER %I', $2::text,
      CASE tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, tgname) FROM pg_trigger t
    WHERE tgrelid = $1::oid AND NOT tgisinternal AND COALESCE(to_jsonb(t) ->> 'tgparentid', '0') = '0' AND tgenabled <> 'O'
  ) AS found(name, rank, line) ORDER BY name, rank`

const MARKS = `
  SELECT format('ALTER TABLE %s REPLICA IDENTITY %s', $2::text, CASE relreplident WHEN 'n' THEN 'NOTHING' ELSE 'FULL' END)
  FROM pg_class WHERE oid = $1::oid AND relreplident IN ('n', 'f')
  UNION ALL
  SELECT format('ALTER TABLE %s REPLICA IDENTITY USING INDEX %I', $2::text, c.relname)
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = $1::oid AND i.indisreplident
  UNION ALL
  SELECT format('ALTER TABLE %s CLUSTER ON %I', $2::text, c.relname)
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = $1::oid AND i.indisclustered
  UNION ALL
  SELECT format('ALTER INDEX %s ALTER COLUMN %s SET STATISTICS %s', i.indexrelid::regclass, a.attnum, to_jsonb(a) ->> 'attstattarget')
  FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indexrelid
  WHERE i.indrelid = $1::oid AND (to_jsonb(a) ->> 'attstattarget')::int >= 0
  UNION ALL
  SELECT format('ALTER STATISTICS %I.%I SET STATISTICS %s', n.nspname, s.stxname, to_jsonb(s) ->> 'stxstattarget')
  FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace
  WHERE s.stxrelid = $1::oid AND (to_jsonb(s) ->> 'stxstattarget')::int >= 0
  UNION ALL
  SELECT format('ALTER STATISTICS %I.%I OWNER TO %I', n.nspname, s.stxname, pg_get_userbyid(s.stxowner))
  FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace
  WHERE s.stxrelid = $1::oid AND pg_get_userbyid(s.stxowner) <> current_user`

const COMMENTS = `
  WITH described(class, id, sub, thing) AS (
    SELECT 'pg_class'::regclass, $1::oid, 0, 'TABLE ' || $2::text
    UNION ALL
    SELECT 'pg_class'::regclass, attrelid, attnum, format('COLUMN %s.%I', $2::text, attname)
    FROM pg_attribute WHERE attrelid = $1::oid AND attnum > 0 AND NOT attisdropped
    UNION ALL
    SELECT 'pg_class'::regclass, indexrelid, 0, format('INDEX %s', indexrelid::regclass) FROM pg_index WHERE indrelid = $1::oid
    UNION ALL
    SELECT 'pg_class'::regclass, q.id::oid, 0, format('SEQUENCE %s', q.id::oid::regclass)
    FROM jsonb_array_elements_text($3::text::jsonb) AS q(id)
    UNION ALL
    SELECT 'pg_constraint'::regclass, oid, 0, format('CONSTRAINT %I ON %s', conname, $2::text)
    FROM pg_constraint WHERE conrelid = $1::oid
    UNION ALL
    SELECT 'pg_trigger'::regclass, t.oid, 0, format('TRIGGER %I ON %s', tgname, $2::text)
    FROM pg_trigger t WHERE tgrelid = $1::oid AND NOT tgisinternal AND COALESCE(to_jsonb(t) ->> 'tgparentid', '0') = '0'
    UNION ALL
    SELECT 'pg_statistic_ext'::regclass, s.oid, 0, format('STATISTICS %I.%I', n.nspname, s.stxname)
    FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace WHERE s.stxrelid = $1::oid
  )
  SELECT format('COMMENT ON %s IS %L', t.thing, d.description)
  FROM described t JOIN pg_description d ON d.classoid = t.class AND d.objoid = t.id AND d.objsubid = t.sub`
