import { expect, test } from "bun:test"
import { missingPrivileges } from "./mysql-grants.ts"
import { partitionFor } from "./mysql-partition.ts"
import { difference, parseStructure } from "./mysql-structure.ts"

const mysql8 = (name: string, constraints: readonly string[], options: string) =>
  [
    `CREATE TABLE \`${name}\` (`,
    "  `id` int NOT NULL AUTO_INCREMENT,",
    "  PRIMARY KEY (`id`)",
    ...constraints,
    options,
  ].join("\n")

test("mysql reads names, counter and directory from a table's structure", () => {
  const sql = mysql8(
    "o\n``s",
    [
      "  CONSTRAINT `f``k` FOREIGN KEY (`id`) REFERENCES `p` (`id`),",
      "  CONSTRAINT `o\n``s_chk_1` CHECK ((`id` > 0)),",
      "  CONSTRAINT `mine` CHECK ((`id` > 1))",
    ],
    ") /*!50100 TABLESPACE `x` */ ENGINE=InnoDB AUTO_INCREMENT=18446744073709551615 COMMENT='AUTO_INCREMENT=5' DATA DIRECTORY='/d''/'",
  )
  expect(parseStructure(sql, "o\n`s", false)).toMatchObject({
    isTemporary: false,
    foreignKeys: ["f`k"],
    hasDirectory: true,
    counter: 18446744073709551615n,
  })
  expect(parseStructure(sql.replaceAll("o\n``s", "os"), "os", false).checks).toEqual(["mine"])
})

test("mysql takes no comment for a counter or a directory", () => {
  const sql = mysql8("t", [], ") ENGINE=InnoDB COMMENT=' AUTO_INCREMENT=5 DATA DIRECTORY=''/d'''")
  expect(parseStructure(sql, "t", false)).toMatchObject({ hasDirectory: false, counter: 1n })
})

test("mysql compares structures without what is named after the table and what is never copied", () => {
  const table = mysql8(
    "t",
    ["  CONSTRAINT `fk` FOREIGN KEY (`id`) REFERENCES `p` (`id`),", "  CONSTRAINT `t_chk_1` CHECK ((`id` > 0))"],
    ") ENGINE=InnoDB AUTO_INCREMENT=7 DATA DIRECTORY='/d/'",
  )
  const stage = mysql8("t_b", ["  CONSTRAINT `t_b_chk_1` CHECK ((`id` > 0))"], ") ENGINE=InnoDB")
  const other = mysql8("t_b", ["  CONSTRAINT `t_b_chk_1` CHECK ((`id` > 1))"], ") ENGINE=InnoDB")
  const [one, two, three] = [
    parseStructure(table, "t", false),
    parseStructure(stage, "t_b", false),
    parseStructure(other, "t_b", false),
  ]
  expect(difference(one, two)).toBeUndefined()
  expect(difference(one, three)).toBe("CHECK ((`id` > 0))")
})

const ALL = ["SELECT", "INSERT", "DROP", "TRIGGER"]
test.each<[string, readonly string[], readonly string[]]>([
  ["all on everything", ["GRANT ALL PRIVILEGES ON *.* TO `u`@`%` WITH GRANT OPTION"], []],
  ["nothing", ["GRANT USAGE ON *.* TO `u`@`%`", "GRANT PROXY ON ''@'%' TO 'u'@'%'", "GRANT `role` TO `u`@`%`"], ALL],
  ["all on the database", ["GRANT ALL PRIVILEGES ON `my\\_shop`.* TO `u`@`%`"], []],
  ["all on databases like it", ["GRANT ALL PRIVILEGES ON `my_sh%`.* TO `u`@`%`"], []],
  [
    "all on another database",
    ["GRANT ALL PRIVILEGES ON `my\\_shop2`.* TO `u`@`%`", "GRANT SELECT ON `my.shop`.* TO `u`@`%`"],
    ALL,
  ],
  [
    "some of each",
    [
      "GRANT SELECT ON *.* TO `u`@`%`",
      "GRANT INSERT, DROP ON `my_shop`.`a``b` TO `u`@`%`",
      "GRANT TRIGGER ON `my_shop`.`ab` TO `u`@`%`",
    ],
    ["TRIGGER"],
  ],
  [
    "columns only",
    ["GRANT SELECT (`a`, `b`), INSERT (`a`), DROP, TRIGGER ON `my_shop`.`a``b` TO `u`@`%`"],
    ["SELECT", "INSERT"],
  ],
  [
    "what was taken back for the database",
    ["GRANT SELECT, INSERT, DROP, TRIGGER ON *.* TO `u`@`%`", "REVOKE DROP ON `my_shop`.* FROM `u`@`%`"],
    ["DROP"],
  ],
  ["routines", ["GRANT EXECUTE ON PROCEDURE `my_shop`.`a``b` TO `u`@`%`"], ALL],
])("mysql reads from grants of %s what is missing", (_, grants, missing) => {
  expect(missingPrivileges(grants, { schema: "my_shop", name: "a`b" }, ALL)).toEqual(missing)
})

const day = { plain: "'2024-01-01'", next: "'2024-01-02'", day: "739251", nextDay: "739252" }
test.each<[string, readonly (readonly [string, string, string | null])[], object, string | undefined]>([
  [
    "a day in ranges",
    [
      ["RANGE COLUMNS", "`d`", "'2024-01-01'"],
      ["RANGE COLUMNS", "`d`", "'2024-01-02'"],
    ],
    day,
    "p1",
  ],
  ["the first range", [["RANGE COLUMNS", "`d`", "'2024-01-02'"]], day, undefined],
  [
    "a week",
    [
      ["RANGE COLUMNS", "`d`", "'2024-01-01'"],
      ["RANGE COLUMNS", "`d`", "'2024-01-08'"],
    ],
    day,
    undefined,
  ],
  [
    "the last range",
    [
      ["RANGE COLUMNS", "`d`", "'2024-01-01'"],
      ["RANGE COLUMNS", "`d`", "MAXVALUE"],
    ],
    day,
    undefined,
  ],
  [
    "days as numbers",
    [
      ["RANGE", "to_days(`d`)", "739251"],
      ["RANGE", "to_days(`d`)", "739252"],
    ],
    day,
    "p1",
  ],
  [
    "days as MySQL 5.7 shows them",
    [
      ["RANGE", "TO_DAYS(d)", "739251"],
      ["RANGE", "TO_DAYS(d)", "739252"],
    ],
    day,
    "p1",
  ],
  [
    "another function",
    [
      ["RANGE", "year(`d`)", "2023"],
      ["RANGE", "year(`d`)", "2024"],
    ],
    { plain: "2023", next: "2024" },
    undefined,
  ],
  ["another column", [["LIST COLUMNS", "`e`", "'a'"]], { plain: "'a'" }, undefined],
  ["two columns", [["LIST COLUMNS", "`d`,`e`", "('a','b')"]], { plain: "'a'" }, undefined],
  [
    "a list of one",
    [
      ["LIST", "`d`", "2"],
      ["LIST", "`d`", "1"],
    ],
    { plain: "1", next: "2" },
    "p1",
  ],
  ["a list of two", [["LIST", "`d`", "1,2"]], { plain: "1", next: "2" }, undefined],
  [
    "a range of one integer",
    [
      ["RANGE", "`D`", "-1"],
      ["RANGE", "`D`", "0"],
    ],
    { plain: "-1", next: "0" },
    "p1",
  ],
  [
    "a text",
    [
      ["LIST COLUMNS", "`d`", "'NULL'"],
      ["LIST COLUMNS", "`d`", "NULL"],
    ],
    { plain: "'NULL'" },
    "p0",
  ],
  ["a hash", [["HASH", "`d`", null]], { plain: "1", next: "2" }, undefined],
])("mysql finds the partition for one value by %s", (_, rows, bounds, found) => {
  const partitions = rows.map(([method, expression, description], i) => [
    `p${i}`,
    null,
    method,
    expression,
    description,
  ])
  expect(partitionFor(partitions, "d", bounds)).toBe(found)
  const subpartitioned = partitions.map(([name, , ...rest]) => [name!, "HASH", ...rest] as (string | null)[])
  expect(partitionFor(subpartitioned, "d", bounds)).toBeUndefined()
})
