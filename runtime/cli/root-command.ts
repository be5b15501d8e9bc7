import { Command } from "effect/cli"
import { backupCommand, restoreCommand } from "./backup-commands.ts"
import { cancelCommand } from "./cancel-command.ts"
import { checkCommand } from "./check-command.ts"
import { componentCommand, componentsCommand, schemaCommand } from "./components-command.ts"
import { copyCommand } from "./copy-command.ts"
import { createTableCommand } from "./create-table-command.ts"
import { flowsCommand } from "./flows-command.ts"
import { globalFlags } from "./global-flags.ts"
import { keysCommand } from "./keys-command.ts"
import { loginCommand, logoutCommand } from "./login-command.ts"
import { logsCommand } from "./logs-command.ts"
import { marksCommand } from "./marks-command.ts"
import { paramsCommand } from "./params-command.ts"
import { planCommand } from "./plan-command.ts"
import { previewCommand } from "./preview-command.ts"
import { quarantineCommand } from "./quarantine-command.ts"
import { resumeCommand } from "./resume-command.ts"
import { runCommand } from "./run-command.ts"
import { runsCommand } from "./runs-command.ts"
import { serveCommand } from "./serve-command.ts"
import { columnsCommand, tablesCommand, testConnectionCommand } from "./source-commands.ts"

export const rootCommand = Command.make("headrace").pipe(
  Command.withDescription(
    `Move tables between systems in batches: exactly, fast, with a receipt.

  Exit codes: 0 done, 1 the run failed, 2 a wrong call or flow (nothing was touched), 3 no connection,
  4 too many rejected rows, 5 it exists already, 70 a fault in Headrace, 130 cancelled.`,
  ),
  Command.withSubcommands([
    { group: "Move rows", commands: [copyCommand, runCommand] },
    { group: "Look before", commands: [checkCommand, planCommand, previewCommand, paramsCommand] },
    {
      group: "Look after runs",
      commands: [runsCommand, logsCommand, resumeCommand, cancelCommand, quarantineCommand, marksCommand],
    },
    {
      group: "Data sources",
      commands: [testConnectionCommand, tablesCommand, columnsCommand, createTableCommand],
    },
    { group: "Serve", commands: [serveCommand, keysCommand, backupCommand, restoreCommand] },
    { group: "Work with a server", commands: [loginCommand, logoutCommand, flowsCommand] },
    { group: "Write flows", commands: [componentsCommand, componentCommand, schemaCommand] },
  ]),
  Command.withGlobalFlags(globalFlags),
  Command.withExamples([
    { command: "headrace copy orders.csv shop.db:orders", description: "Copy a file into a table" },
    { command: "headrace run orders.json", description: "Run a flow" },
    { command: "headrace component postgres-input", description: "Read about a component" },
    {
      command: "headrace --completions bash > ~/.local/share/bash-completion/completions/headrace",
      description: "Complete commands by Tab",
    },
  ]),
)
