/**
 * Parameters of a flow: `${name}`, `${yyyyMMdd-1d}` on the business date, `$[HH-1h]` on the scheduled time. Pure
 * functions: the caller passes the dates.
 *
 * In the order of a run: {@link defaultDates} fixes the dates, {@link resolveParameters} gives every template of the
 * document its value or says what is wrong, {@link substitute} puts the values into configurations, and {@link bindSql}
 * puts them into SQL. {@link discoverParameters} lists what a document wants, for forms and for checks.
 */
export {
  builtinNames,
  maxNameLength,
  maxValueLength,
  type ParameterDeclaration,
  type ParameterDeclarations,
  type ParameterType,
  parametersSchema,
  parameterTypes,
  readDeclarations,
} from "./declaration.ts"
export { type DiscoveredExpression, type DiscoveredParameter, type Discovery, discoverParameters } from "./discover.ts"
export type { Outcome, ParameterProblem, Refused } from "./problem.ts"
export { type PreviewedParameter, type ResolvedParameters, type ResolveRequest, resolveParameters } from "./resolve.ts"
export { defaultDates, type RunDates, type RunDatesRequest } from "./run-dates.ts"
export { bindSql } from "./sql-binding.ts"
export { type SubstituteOptions, substitute } from "./substitute.ts"
export { escapeTemplates } from "./template.ts"
