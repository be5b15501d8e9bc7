import { Command } from "effect/cli"
import { checkCommand } from "./check-command.ts"
import { globalFlags } from "./global-flags.ts"
import { runCommand } from "./run-command.ts"

export const rootCommand = Command.make("headrace").pipe(
  Command.withDescription("Move tables between systems in batches: exactly, fast, with a receipt."),
  Command.withSubcommands([runCommand, checkCommand]),
  Command.withGlobalFlags(globalFlags),
)
