import type { Plugin } from "../../core/contract/index.ts"
import { mysqlDatabase } from "./mysql-database.ts"

export default {
  name: "mysql",
  version: "0.1.0",
  engine: 1,
  title: "MySQL",
  license: "Apache-2.0",
  permissions: { network: "dataSource" },
  components: [mysqlDatabase],
} satisfies Plugin
