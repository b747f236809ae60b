// README.md and docs/ say only what is so: links, files, commands, log events, settings and examples are looked up.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { loadConfig } from '../adapter/config/load-config.ts'
import { settingsAt } from '../adapter/config/setting.ts'
import { trackedFiles } from './structure/tracked-files.ts'

const root = join(import.meta.dirname, '..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const docs = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'))
const pages = ['README.md', ...docs.map((name) => `docs/${name}`)].map((path) => ({
  path,
  text: read(path),
}))

const FENCE = /^```(\w*)\n([\s\S]*?)^```$/gm
const fencesOf = (text: string, language: string) =>
  [...text.matchAll(FENCE)].filter((fence) => fence[1] === language).map((fence) => fence[2] ?? '')
const inlineCode = (text: string) =>
  [...text.replaceAll(FENCE, '').matchAll(/`([^`\n]+)`/g)].map((code) => code[1] ?? '')
const linksOf = (text: string) =>
  [...text.replaceAll(FENCE, '').matchAll(/\]\(([^)\s]+)\)/g)].map((link) => link[1] ?? '')

/** As the sites that render Markdown make them from headings. */
const anchorsOf = (text: string) =>
  [...text.matchAll(/^#+ (.+)$/gm)].map((heading) =>
    (heading[1] ?? '')
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )

function brokenLinks({ path, text }: { path: string; text: string }): string[] {
  return linksOf(text).filter((link) => {
    if (/^https?:/.test(link)) return false
    const [file = '', anchor] = link.split('#')
    const target = file === '' ? path : join(dirname(path), file)
    if (!existsSync(join(root, target))) return true
    return anchor !== undefined && !anchorsOf(read(target)).includes(anchor)
  })
}

/** Made by running something, or by the reader. */
const NOT_IN_THE_REPOSITORY = /^(data|\.cache|node_modules|\/)|^my\.yaml$|^keys\.json$/
const PATH = /^[\w.-]+(\/[\w.-]+)*(\.(ts|mjs|json|ya?ml|md)|\/)$/

function missingFiles(text: string): string[] {
  const paths = inlineCode(text).filter(
    (code) => PATH.test(code) && !NOT_IN_THE_REPOSITORY.test(code) && code !== 'redis/',
  )
  return paths.filter((path) => !existsSync(join(root, path)))
}

const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }

function missingCommands(text: string): string[] {
  const verbs = [...text.matchAll(/\bnpm (?:run (?:-s )?)?([a-z][\w-]*)/g)].map(([, verb]) => verb)
  return verbs.filter((verb) => verb !== undefined && !(verb in scripts)).map(String)
}

function missingCliCommands(text: string): string[] {
  const cli = joined([...trackedFiles()].filter(([path]) => /^adapter\/cli[./]/.test(path)))
  const called = [...text.matchAll(/auth-adapter -- ((?:[a-z]+ ?){1,2})/g)].flatMap(
    ([, words = '']) =>
      words
        .trim()
        .split(' ')
        .slice(0, words.startsWith('config') ? 2 : 1),
  )
  return called.filter((name) => !cli.includes(`.command('${name}')`))
}

const sources = [...trackedFiles()].filter(
  ([path]) => path.endsWith('.ts') && !path.includes('.test.') && !path.startsWith('scripts/'),
)
const joined = (files: [string, string][]) => files.map(([, text]) => text).join('\n')
const code = joined(sources)
const adapterCode = joined(sources.filter(([path]) => /^(adapter|service)\//.test(path)))

const NOT_A_NAME = /\.(sqlite|secret|key)$|^storage\.round_trips$/

/** `a.b` in code style is a log event or a setting, unless it is a file or a field of `request.done`. */
function unknownNames(text: string): string[] {
  const names = inlineCode(text).filter((name) => /^[a-z_]+(\.[a-z_]+)+$/.test(name))
  const isSetting = (name: string) =>
    [name, `clients.app.${name}`].some((path) => settingsAt(path.split('.')).length > 0)
  return names.filter(
    (name) => !code.includes(`'${name}'`) && !isSetting(name) && !NOT_A_NAME.test(name),
  )
}

const COMPLETE = {
  issuer: 'http://127.0.0.1:9000',
  clients: { app: { client_secret: '${ANY_SECRET}', redirect_uris: ['http://127.0.0.1:8080/cb'] } },
  upstreams: {
    idp: { kind: 'oidc', issuer: 'http://127.0.0.1:9001', client_id: 'a', client_secret: '${A}' },
  },
}

/** Loads an example with what it leaves out; every variable it names is set, as are the files. */
function loadExample(example: string) {
  const text = JSON.stringify({ ...COMPLETE, ...(parse(example) as object) })
  const withKey = text.replaceAll(/\$\{file:[^}]+\}/g, 'A'.repeat(43))
  const names = [...withKey.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name ?? '')
  const values = names.map((name) => [name, name === 'REDIS_URL' ? 'redis://127.0.0.1' : 'secret'])
  const env = Object.fromEntries(values) as Record<string, string>
  return loadConfig({ file: join(root, 'auth-adapter.yaml'), text: withKey, env }).config
}

describe.each(pages)('$path', ({ path, text }) => {
  it('links to what is there', () => {
    expect(brokenLinks({ path, text })).toEqual([])
  })

  it('names files and commands that exist', () => {
    expect(missingFiles(text)).toEqual([])
    expect(missingCommands(text)).toEqual([])
    expect(missingCliCommands(text)).toEqual([])
  })

  it('gives examples of configuration that are valid', () => {
    for (const example of fencesOf(text, 'yaml')) expect(() => loadExample(example)).not.toThrow()
  })
})

describe('the pages for operators', () => {
  it.each(['docs/when-a-login-fails.md', 'docs/operations.md'])(
    '%s names only log events and settings that are in the code',
    (path) => {
      const text = read(path)
      expect(inlineCode(text).filter((name) => name === 'login.failed')).not.toEqual([])
      expect(unknownNames(text)).toEqual([])
    },
  )

  it('tell of every page that a person can meet, by its title', () => {
    const source = read('adapter/pages/message-kinds.ts')
    const kinds = [...source.matchAll(/^ {2}(\w+): \{\n[\s\S]*?title: .*?=> ['`](.*)['`],$/gm)]
    const rows = read('docs/when-a-login-fails.md').split('\n')
    const missing = kinds.filter(([, kind, title = '']) => {
      const shown = `| \`${kind}\`: "${title.replaceAll(/\$\{[^}]+\}/g, '…')}"`
      return !rows.some((row) => row.startsWith(shown))
    })
    expect(kinds.length).toBeGreaterThan(10)
    expect(missing.map(([, kind]) => kind)).toEqual([])
  })

  it('tell of every event that the adapter logs', () => {
    const logged = [...adapterCode.matchAll(/log\??\.(?:info|warn|error)\(\s*'([a-z_.]+)'/g)]
    const events = new Set(logged.map(([, event]) => event ?? ''))
    const text = read('docs/operations.md')
    expect(events.size).toBeGreaterThan(20)
    expect([...events].filter((event) => !text.includes(`\`${event}\``))).toEqual([])
  })
})

describe('the rules above', () => {
  it('see a broken link, file, command, event and example', () => {
    expect(brokenLinks({ path: 'README.md', text: '[a](docs/nothing.md) [b](#nowhere)' })).toEqual([
      'docs/nothing.md',
      '#nowhere',
    ])
    expect(missingFiles('`adapter/nothing.ts` `adapter/nowhere/`')).toEqual([
      'adapter/nothing.ts',
      'adapter/nowhere/',
    ])
    expect(missingCommands('`npm run nothing` and `npm test`')).toEqual(['nothing'])
    expect(missingCliCommands('`npm run -s auth-adapter -- config vanish`')).toEqual(['vanish'])
    expect(unknownNames('`login.vanished` `login.ttl` `login.failed` `session.life`')).toEqual([
      'login.vanished',
      'session.life',
    ])
    expect(() => loadExample('upstreams: { a: { kind: oauth2 } }')).toThrow()
  })
})
