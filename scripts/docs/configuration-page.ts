// docs/configuration.md: the rules of the file in prose, then one table for each group of settings, from the schema.
import { configSchema } from '../../adapter/config/schema.ts'
import { settingsOf } from '../../adapter/config/setting.ts'
import type { Setting } from '../../adapter/config/setting.ts'

const INTRODUCTION = `# Configuration

<!-- Generated from adapter/config/schema.ts by \`npm run docs\`. -->

One file, \`auth-adapter.yaml\`: \`--config\`, else \`AUTH_ADAPTER_CONFIG\`, else the one in the working directory. Relative paths in it start
at its folder. The one in the repository is the demo, with every line explained.

- \`npm run -s auth-adapter -- config validate\` tells everything that is wrong, with line, column and caret; exit code 2.
- \`npm run -s auth-adapter -- config print --origins\` shows each value in force and where it comes from, secrets masked.
- \`npm run -s auth-adapter -- config schema\` prints the JSON Schema, the same as [auth-adapter.schema.json](auth-adapter.schema.json). Editors that
  speak YAML complete and check with it when the file begins with \`# yaml-language-server: $schema=docs/auth-adapter.schema.json\`.

## Where a value comes from

Defaults, then the file, then the environment, then flags; the last one wins.

| in the file | becomes |
|---|---|
| \`\${NAME}\` | the environment variable; a fault when it is not set |
| \`\${NAME:-default}\` | the variable, or what follows \`:-\` when it is not set or empty |
| \`\${file:path}\` | the file's content without the line break at its end |
| \`$\${\` | a literal \`\${\` |

All four work inside any value. In \`{ ... }\` and \`[ ... ]\` put them in quotes, since \`}\` would end the map.

\`AUTH_ADAPTER_LISTEN__PORT=9100\` sets \`listen.port\`: upper case, two underscores for each level, \`_\` for \`-\`
(\`AUTH_ADAPTER_UPSTREAMS__TEST_AUTH_SERVER__ISSUER\`). The value is read as YAML, so \`AUTH_ADAPTER_STORAGE='{"driver":"redis","url":"redis://127.0.0.1"}'\`
replaces the whole group. A variable that sets nothing is a fault.

Durations are written \`30s\`, \`5m\`, \`8h\`, \`14d\`.

## With NODE_ENV=production

Refused, each with the name of the setting: a secret that stands in the file itself (or as a default after \`:-\`), \`storage.driver: memory\`,
and generated keys: \`keys.file\` and \`keys.sealing_key\` are required. In every mode, \`http:\` is accepted on loopback only.

## Claims

Each entry of an upstream's \`claims\` names a claim that we mint, and where its value comes from: a path (\`name\`, \`a.b.c\`), looked up in the ID
token, then in userinfo; or a rule with the settings below, each explained in [claims.md](claims.md). A name that itself contains dots is found whole first. The names that belong to the
protocol (\`iss\`, \`sub\`, \`aud\`, \`exp\`, \`acr\`, \`client_id\`, \`scope\` and the like) can not be minted.

Claims of [OpenID Connect Core, section 5.4](https://openid.net/specs/openid-connect-core-1_0.html#ScopeClaims) are released by \`profile\`, \`email\`,
\`address\` and \`phone\`, all others by \`openid\`.

With \`subject: bare\` apps see the upstream's own \`sub\`. One that itself looks like \`<name>:...\` is prefixed all the same, so that no two
people ever share a subject.
`

interface Group {
  readonly title: string
  readonly description: string | undefined
  readonly rows: readonly string[]
}

export function configurationPage(): string {
  const groups = groupsOf('', settingsOf(configSchema), undefined)
  return `${INTRODUCTION}\n## Settings\n\n${[...new Set(groups.map(groupText))].join('\n')}`
}

function groupText({ title, description, rows }: Group): string {
  const heading = title === '' ? '' : `### \`${title}\`\n\n`
  const head = '| setting | value | default | what it is |\n|---|---|---|---|\n'
  return `${heading}${description === undefined ? '' : `${description}\n\n`}${head}${rows.join('\n')}\n`
}

/** The settings right below `title`, then the groups below them. Several settings are the branches of a choice. */
function groupsOf(
  title: string,
  settings: readonly Setting[],
  description: string | undefined,
): Group[] {
  const below = settings.flatMap(({ def }) =>
    Object.entries(def.shape ?? {}).map(([name, schema]) => ({
      path: title === '' ? name : `${title}.${name}`,
      found: settingsOf(schema),
    })),
  )
  const inner = below.flatMap(({ path, found }) => innerGroups(path, found))
  return below.length === 0 ? inner : [{ title, description, rows: rowsOf(below) }, ...inner]
}

/** What several branches of a choice have alike stands once. */
function rowsOf(below: readonly { path: string; found: readonly Setting[] }[]): string[] {
  return [...new Set(below.map(({ path, found }) => rowText(path, found)))]
}

function innerGroups(path: string, settings: readonly Setting[]): Group[] {
  const description = settings[0]?.description
  const element = settings.flatMap(({ def }) =>
    def.type === 'record' && def.valueType ? settingsOf(def.valueType) : [],
  )
  if (element.length > 0) return groupsOf(`${path}.<name>`, element, description)
  const items = settings.flatMap(({ def }) => (def.element ? settingsOf(def.element) : []))
  if (items.some(({ def }) => def.shape)) return groupsOf(`${path}[]`, items, description)
  return settings.some(({ def }) => def.shape) ? groupsOf(path, settings, description) : []
}

function rowText(path: string, settings: readonly Setting[]): string {
  const [first] = settings
  const name = `\`${path.slice(path.lastIndexOf('.') + 1)}\``
  const cells = [name, valueText(settings), defaultText(settings), first?.description ?? '']
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'number',
  boolean: '`true`, `false`',
  record: 'map by name',
  object: 'map',
  array: 'list',
  unknown: 'any',
}

function valueText(settings: readonly Setting[]): string {
  if (settings.every(({ isSecret }) => isSecret)) return 'secret'
  if (settings.some(({ isPath }) => isPath)) return 'path'
  return [...new Set(settings.map(kindOf))].join(' or ')
}

function kindOf({ def, defaultValue }: Setting): string {
  const choices = [...Object.values(def.entries ?? {}), ...(def.values ?? []).map(String)]
  if (choices.length > 0) return choices.map((choice) => `\`${choice}\``).join(', ')
  const [item] = def.type === 'array' && def.element ? settingsOf(def.element) : []
  if (item) return `list of ${item.isSecret ? 'secret' : kindOf(item)}`
  const isDuration = typeof defaultValue === 'string' && /^\d+(ms|s|m|h|d)$/.test(defaultValue)
  if (isDuration) return 'duration'
  return (def as { format?: string }).format === 'url' ? 'URL' : (KINDS[def.type] ?? def.type)
}

function defaultText(settings: readonly Setting[]): string {
  const [first] = settings
  const value = first?.defaultValue
  const isGroup = settings.some(({ def }) => def.shape)
  if (value === undefined)
    return isGroup || settings.some(({ isOptional }) => isOptional) ? '' : '**required**'
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text === '{}' ? '' : `\`${text}\``
}
