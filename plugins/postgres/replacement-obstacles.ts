import { type Relation, type Server, texts } from "./replacement-server.ts"

/**
 * What a table has, or what hangs on it, that another table in its place would not have: one line each. A partition is
 * asked about as if it stood alone.
 */
export async function obstaclesOf(
  { query, version }: Server,
  table: Relation,
  options: { readonly isPartition: boolean },
): Promise<readonly string[]> {
  const kind = KINDS[table.kind]
  if (kind !== undefined) return [`it is a ${kind}`]
  const right = version >= 160000 ? "SET" : "MEMBER"
  const own = await texts(query, OWN, [table.oid, String(options.isPartition), right])
  return [...own, ...(await texts(query, DEPENDENT, [table.oid]))]
}

const KINDS: Readonly<Record<string, string>> = {
  p: "partitioned table: a partition of it can be replaced",
  v: "view",
  m: "materialized view",
  f: "foreign table",
  S: "sequence",
  c: "composite type",
  i: "index",
  I: "index",
  t: "TOAST table",
}

/** How an object of the catalog is called: the schema is named where it is another one. */
const SHOWN = `(CASE WHEN o.relnamespace = me.relnamespace THEN '' ELSE o.relnamespace::regnamespace::text || '.' END || o.relname)`

const OWN = `
  WITH me AS (SELECT * FROM pg_class WHERE oid = $1::oid)
  SELECT line FROM (
    SELECT 1, 'it is a temporary table' FROM me WHERE relpersistence = 't'
    UNION ALL
    SELECT 2, format('it belongs to "%s", and "%s" is no member of that role', pg_get_userbyid(relowner), current_user)
    FROM me WHERE NOT (pg_has_role(relowner, 'USAGE') AND pg_has_role(relowner, $3::text))
    UNION ALL
    SELECT 3, format('"%s" may not create tables in schema "%s"', r.rolname, n.nspname)
    FROM me JOIN pg_namespace n ON n.oid = me.relnamespace
    JOIN pg_roles r ON r.rolname = current_user
      OR r.oid = me.relowner AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
    WHERE NOT has_schema_privilege(r.oid, n.oid, 'CREATE')
    UNION ALL
    SELECT 4, format('it is of type "%s"', reloftype::regtype) FROM me WHERE reloftype <> 0
    UNION ALL
    SELECT 5, format('it %s "%s"', CASE WHEN me.relispartition THEN 'is a partition of' ELSE 'inherits' END, ${SHOWN})
    FROM me JOIN pg_inherits i ON i.inhrelid = me.oid JOIN pg_class o ON o.oid = i.inhparent WHERE NOT $2::text::bool
    UNION ALL
    SELECT 6, format('"%s" inherits from it', ${SHOWN})
    FROM me JOIN pg_inherits i ON i.inhparent = me.oid JOIN pg_class o ON o.oid = i.inhrelid
    UNION ALL
    SELECT 7, 'row level security is on' FROM me WHERE relrowsecurity OR relforcerowsecurity
    UNION ALL
    SELECT 8, format('it has the policy "%s"', polname) FROM pg_policy WHERE polrelid = $1::oid
    UNION ALL
    SELECT 9, format('it has the rule "%s"', rulename) FROM pg_rewrite WHERE ev_class = $1::oid
    UNION ALL
    SELECT DISTINCT 10, format('publication "%s" sends it to others', p.pubname)
    FROM pg_publication_tables p JOIN pg_namespace n ON n.nspname = p.schemaname
    JOIN pg_class o ON o.relnamespace = n.oid AND o.relname = p.tablename
    WHERE o.oid = $1::oid OR o.oid IN (SELECT relid FROM pg_partition_ancestors($1::oid::regclass))
    UNION ALL
    SELECT 11, 'a subscription fills it' FROM pg_subscription_rel WHERE srrelid = $1::oid
    UNION ALL
    SELECT 12, format('index "%s" is not valid: rebuild or drop it', indexrelid::regclass)
    FROM pg_index WHERE indrelid = $1::oid AND NOT (indisvalid AND indisready AND indislive)
    UNION ALL
    SELECT 13, format('trigger "%s" of table "%s" refers to it', t.tgname, ${SHOWN})
    FROM me JOIN pg_trigger t ON t.tgconstrrelid = me.oid AND t.tgrelid <> me.oid AND NOT t.tgisinternal
    JOIN pg_class o ON o.oid = t.tgrelid
    UNION ALL
    SELECT 14, format('"%s" may not execute the function of trigger "%s"', current_user, tgname)
    FROM pg_trigger WHERE tgrelid = $1::oid AND NOT tgisinternal AND NOT has_function_privilege(tgfoid, 'EXECUTE')
    UNION ALL
    SELECT DISTINCT 15, format('foreign key "%s" is switched off or checked on replicas', k.conname)
    FROM pg_trigger t JOIN pg_constraint k ON k.oid = t.tgconstraint
    WHERE t.tgrelid = $1::oid AND t.tgisinternal AND t.tgenabled <> 'O'
    UNION ALL
    SELECT DISTINCT 16, 'it has security labels' FROM pg_seclabel
    WHERE classoid = 'pg_class'::regclass AND objoid = $1::oid
    UNION ALL
    SELECT DISTINCT 17, format('%s belongs to extension "%s"', pg_describe_object(d.classid, d.objid, 0), e.extname)
    FROM pg_depend d JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND e.oid = d.refobjid
    WHERE d.deptype IN ('e', 'x') AND (
      d.classid = 'pg_class'::regclass AND (d.objid = $1::oid OR d.objid IN (SELECT indexrelid FROM pg_index WHERE indrelid = $1::oid))
      OR d.classid = 'pg_trigger'::regclass AND d.objid IN (SELECT oid FROM pg_trigger WHERE tgrelid = $1::oid))
    UNION ALL
    SELECT 18, format('its statistics "%s" lie in another schema', stxname)
    FROM me JOIN pg_statistic_ext s ON s.stxrelid = me.oid AND s.stxnamespace <> me.relnamespace
  ) AS found(rank, line) ORDER BY rank, line`

/** Whatever a DROP TABLE would be refused for: what refers to the table, its type, its keys or its identity columns. */
const DEPENDENT = `
  WITH me AS (SELECT * FROM pg_class WHERE oid = $1::oid),
  part(class, id) AS (
    SELECT 'pg_class'::regclass, $1::oid
    UNION ALL SELECT 'pg_class'::regclass, indexrelid FROM pg_index WHERE indrelid = $1::oid
    UNION ALL SELECT 'pg_class'::regclass, objid FROM pg_depend
      WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_class'::regclass AND refobjid = $1::oid AND deptype = 'i'
    UNION ALL SELECT 'pg_constraint'::regclass, oid FROM pg_constraint WHERE conrelid = $1::oid
    UNION ALL SELECT 'pg_type'::regclass, t.oid FROM me JOIN pg_type t ON t.oid = me.reltype OR t.typelem = me.reltype AND me.reltype <> 0
    UNION ALL SELECT 'pg_trigger'::regclass, oid FROM pg_trigger WHERE tgrelid = $1::oid
    UNION ALL SELECT 'pg_attrdef'::regclass, oid FROM pg_attrdef WHERE adrelid = $1::oid
    UNION ALL SELECT 'pg_rewrite'::regclass, oid FROM pg_rewrite WHERE ev_class = $1::oid
    UNION ALL SELECT 'pg_policy'::regclass, oid FROM pg_policy WHERE polrelid = $1::oid
    UNION ALL SELECT 'pg_statistic_ext'::regclass, oid FROM pg_statistic_ext WHERE stxrelid = $1::oid
  ),
  dependent AS (
    SELECT DISTINCT d.classid, d.objid, d.objsubid FROM pg_depend d JOIN part p ON p.class = d.refclassid AND p.id = d.refobjid
    WHERE d.deptype = 'n' AND d.classid <> 'pg_publication_rel'::regclass
      AND NOT EXISTS (SELECT FROM part q WHERE q.class = d.classid AND q.id = d.objid)
      AND NOT (d.classid = 'pg_class'::regclass AND d.objid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = $1::oid))
  )
  SELECT DISTINCT CASE
    WHEN r.rulename = '_RETURN' THEN format('%s "%s" reads it', CASE o.relkind WHEN 'm' THEN 'materialized view' ELSE 'view' END, ${SHOWN})
    WHEN r.oid IS NOT NULL THEN format('rule "%s" of "%s" refers to it', r.rulename, ${SHOWN})
    WHEN k.contype = 'f' THEN format('foreign key "%s" of table "%s" refers to it', k.conname, ${SHOWN})
    ELSE pg_describe_object(d.classid, d.objid, d.objsubid) || ' depends on it' END
  FROM me CROSS JOIN dependent d
  LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
  LEFT JOIN pg_constraint k ON d.classid = 'pg_constraint'::regclass AND k.oid = d.objid
  LEFT JOIN pg_class o ON o.oid = COALESCE(r.ev_class, k.conrelid)
  ORDER BY 1`
