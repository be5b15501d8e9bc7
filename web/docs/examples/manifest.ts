import plugin from "./plugin.ts"

const { name, version, engine, permissions } = plugin
const components = plugin.components.map(({ kind, id, title, summary, config }) => {
  return { kind, id, title, summary, config }
})
console.log(JSON.stringify({ name, version, engine, main: "plugin.js", permissions, components }, null, 2))
