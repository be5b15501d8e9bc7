import type { Connection, Failure } from "../../../core/contract/index.ts"
import { postgres as server } from "../../../scripts/services/services.ts"
import { testSession } from "../../../scripts/testing/session.ts"
import { connect } from "../postgres-connection.ts"
import type { PostgresSettings } from "../settings.ts"

export const names = {
  table: { name: "t" },
  stage: { name: "t_dpfx_b" },
  old: { name: "t_dpfx_tmp" },
  lockTimeoutMs: 5000,
}

/** Roles belong to the whole server: made once in it, whatever database asks first. */
const ROLES = `
  DO $$ BEGIN
    CREATE ROLE "the Owner" NOLOGIN; CREATE ROLE "a reader" NOLOGIN; CREATE ROLE worker LOGIN PASSWORD 'worker';
  EXCEPTION WHEN duplicate_object THEN NULL; END $$`

export const BASIC = "CREATE TABLE t (id int PRIMARY KEY, name text); INSERT INTO t VALUES (1, 'old')"

const databases = new Map<string, Promise<{ at: PostgresSettings; admin: Connection }>>()
let schemas = 0

/** A schema of its own, which stands first on the search path. */
export async function fresh(
  version: string,
  sql: string,
): Promise<{ admin: Connection; at: PostgresSettings; schema: string }> {
  let database = databases.get(version)
  if (database === undefined) {
    database = prepare(version)
    databases.set(version, database)
  }
  const { at, admin } = await database
  const schema = `s ${++schemas}`
  await admin.execute(
    `CREATE SCHEMA "${schema}"; GRANT USAGE ON SCHEMA "${schema}" TO PUBLIC; GRANT CREATE ON SCHEMA "${schema}" TO "the Owner"`,
  )
  // Earlier tests may have set what they liked.
  await admin.execute("RESET ALL")
  await admin.execute(`SET search_path = "${schema}", public`)
  await admin.execute(sql)
  return { admin, at, schema }
}

async function prepare(version: string): Promise<{ at: PostgresSettings; admin: Connection }> {
  const service = await server(version === "18" ? undefined : version)
  const { host, port, user, password } = service
  const at = { host, port, user, password, database: await service.createDatabase("replace"), tls: "auto" } as const
  const admin = await open(at)
  await admin.execute(ROLES)
  return { at, admin }
}

/** Connections are left open: the server ends with the tests. */
export function open(at: PostgresSettings): Promise<Connection> {
  return connect(at, testSession())
}

export async function inTransaction(connection: Connection, work: () => Promise<unknown>): Promise<void> {
  await connection.begin()
  try {
    await work()
    await connection.commit()
  } catch (error) {
    await connection.rollback()
    throw error
  }
}

/** All that the catalog says of a table, but for the numbers of its objects. */
export async function portrait(connection: Connection, table: string): Promise<readonly unknown[]> {
  const rows = await connection.query(PORTRAIT, [table])
  return rows.toSorted().map(([kind, facts]) => [kind, JSON.parse(facts!)])
}

const PORTRAIT = `
  WITH me AS (SELECT * FROM pg_class WHERE oid = to_regclass($1)),
  numbers AS (SELECT d.objid AS oid, d.refobjsubid, d.deptype FROM pg_depend d JOIN pg_class c ON c.oid = d.objid AND c.relkind = 'S'
    WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = (SELECT oid FROM me) AND d.deptype IN ('a', 'i')),
  relations AS (SELECT oid FROM me UNION ALL SELECT indexrelid FROM pg_index WHERE indrelid = (SELECT oid FROM me) UNION ALL SELECT oid FROM numbers)
  SELECT kind, facts - 'oid' - 'relfilenode' FROM (
    SELECT 'relation' AS kind, to_jsonb(c) - 'reltype' - 'reltoastrelid' - 'relpages' - 'reltuples' - 'relallvisible' - 'relallfrozen' - 'relfrozenxid'
      - 'relminmxid' - 'relnatts' - 'relpartbound' - 'relacl' || jsonb_build_object('options of toast', (SELECT to_jsonb(reloptions) FROM pg_class x WHERE x.oid = c.reltoastrelid),
      'rights', (SELECT jsonb_agg(concat_ws(' ', grantee::regrole, privilege_type, is_grantable) ORDER BY grantee, privilege_type)
        FROM aclexplode(COALESCE(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner)))),
      'comment', obj_description(c.oid, 'pg_class')) AS facts FROM pg_class c JOIN relations USING (oid)
    UNION ALL
    SELECT 'column', to_jsonb(a) - 'attrelid' - 'attnum' - 'attndims' - 'atthasmissing' - 'attmissingval' - 'attcacheoff' || jsonb_build_object(
      'of', a.attrelid::regclass, 'number', row_number() OVER (PARTITION BY a.attrelid ORDER BY attnum),
      'default', pg_get_expr(d.adbin, d.adrelid), 'comment', col_description(a.attrelid, a.attnum))
    FROM pg_attribute a JOIN relations r ON r.oid = a.attrelid
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum WHERE a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT 'index', jsonb_build_object('is', pg_get_indexdef(indexrelid), 'primary', indisprimary, 'unique', indisunique, 'clustered', indisclustered,
      'replica', indisreplident, 'immediate', indimmediate, 'valid', indisvalid) FROM pg_index WHERE indrelid = (SELECT oid FROM me)
    UNION ALL
    SELECT 'constraint', jsonb_build_object('name', conname, 'is', pg_get_constraintdef(oid), 'comment', obj_description(oid, 'pg_constraint'),
      'valid', convalidated, 'deferred', condeferred) FROM pg_constraint k
    WHERE conrelid = (SELECT oid FROM me) AND NOT EXISTS (SELECT FROM pg_constraint p WHERE p.oid = k.conparentid AND p.conrelid = k.conrelid)
    UNION ALL
    SELECT 'trigger', jsonb_build_object('is', pg_get_triggerdef(oid), 'enabled', tgenabled, 'comment', obj_description(oid, 'pg_trigger'))
    FROM pg_trigger WHERE tgrelid = (SELECT oid FROM me) AND NOT tgisinternal
    UNION ALL
    SELECT 'statistics', to_jsonb(s) - 'stxrelid' - 'stxexprs' || jsonb_build_object('is', pg_get_statisticsobjdef(oid), 'comment', obj_description(oid, 'pg_statistic_ext'))
    FROM pg_statistic_ext s WHERE stxrelid = (SELECT oid FROM me)
    UNION ALL
    SELECT 'sequence', to_jsonb(s) - 'seqrelid' || jsonb_build_object('name', oid::regclass, 'type', deptype,
      'state', query_to_xml(format('SELECT last_value, is_called FROM %s', oid::regclass), false, false, '')::text)
    FROM numbers JOIN pg_sequence s ON s.seqrelid = oid
  ) AS found`

export const failureOf = (promise: Promise<unknown>): Promise<Failure> =>
  promise.then(
    () => {
      throw new Error("it succeeded")
    },
    (error) => error as Failure,
  )
