const script = (flow: object) => `${JSON.stringify(flow, null, 2)}\n`

/** What a new flow may begin with. */
export const STARTS = [
  {
    id: "demo",
    text: "Something that runs",
    about: "Makes ten thousand orders, keeps those worth something, and counts them. It needs no data source.",
    document: script({
      version: 1,
      steps: [
        {
          id: "make",
          use: "rows-input",
          config: {
            rows: 10_000,
            columns: [
              { name: "id", type: "int64", sequence: true },
              { name: "customer", type: "string(40)", distinct: 100 },
              { name: "total", type: "decimal(12,2)", nullShare: 0.05 },
              { name: "ordered", type: "timestamptz" },
            ],
          },
        },
        { id: "keep", use: "select", config: { columns: ["id", "customer", "total"] } },
        { id: "count", use: "discard-output" },
      ],
      hops: [
        { from: "make", to: "keep" },
        { from: "keep", to: "count" },
      ],
      settings: {},
    }),
  },
  {
    id: "copy",
    text: "A table to a table",
    about: "Reads a table of one data source and writes it to another one. Fill in the names.",
    document: script({
      version: 1,
      steps: [
        { id: "read", use: "postgres-input", config: { dataSource: "", table: "" } },
        { id: "write", use: "postgres-output", config: { dataSource: "", table: "" } },
      ],
      hops: [{ from: "read", to: "write" }],
      settings: {},
    }),
  },
  {
    id: "empty",
    text: "An empty script",
    about: "No steps at all.",
    document: script({ version: 1, steps: [], hops: [], settings: {} }),
  },
] as const
