// What `npm <verb>` runs first, on whatever Node the system has (>= 20): installs the locked packages when they are
// missing or changed, then hands over to the verb's script on the Node that the lockfile brings. Plain JavaScript, since
// the system's Node may not run TypeScript. Speaks on stderr only: stdout belongs to the verb.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const VERBS = {
  start: 'scripts/start.ts',
  test: 'scripts/test.ts',
  check: 'scripts/check.ts',
  nightly: 'scripts/nightly.ts',
  format: 'scripts/format.ts',
  docs: 'scripts/generate-docs.ts',
  bench: 'bench/main.ts',
  'auth-adapter': 'adapter/cli.ts',
  worker: 'test-app/worker/main.ts',
}
const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
/**
 * For the verb and all processes that it starts: starts after the first take the compiled code from the folder, and memory
 * that threads give back is not kept in an arena for each of them (glibc).
 */
const RUNTIME = {
  NODE_COMPILE_CACHE: join(root, '.cache', 'compile'),
  MALLOC_ARENA_MAX: '2',
}
const OLDEST_NODE = 20
const TYPESCRIPT_NODE = 24

const lockFile = join(root, '.cache', 'install.lock')
const say = (text) => process.stderr.write(`${text}\n`)
const pause = (ms) => new Promise((done) => setTimeout(done, ms))
const major = Number(process.versions.node.split('.')[0])

function fail(...lines) {
  for (const line of lines) say(line)
  process.exit(1)
}

const readPackages = (file) => JSON.parse(readFileSync(join(root, file), 'utf8')).packages

/** The name of the first package that is not installed as locked, or undefined. npm writes its own list last of all. */
function firstDifference() {
  if (!existsSync(join(root, 'node_modules', '.package-lock.json'))) return 'node_modules'
  const locked = readPackages('package-lock.json')
  const installed = readPackages('node_modules/.package-lock.json')
  const nodeHere = `node_modules/node-${process.platform}-${process.arch}`
  const isMissing = (path) => !installed[path] && (!locked[path].optional || path === nodeHere)
  const isOther = (path) => installed[path] && installed[path].integrity !== locked[path].integrity
  return (
    Object.keys(locked).find((path) => path !== '' && (isMissing(path) || isOther(path))) ??
    Object.keys(installed).find((path) => !locked[path])
  )
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/** Creates the lock file, unless another live process holds it. A dead holder's file is moved away first. */
function tryLock() {
  mkdirSync(dirname(lockFile), { recursive: true })
  try {
    writeFileSync(lockFile, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
  }
  removeStaleLock()
  return false
}

const lockHolder = () => readFileSync(lockFile, 'utf8')

function removeStaleLock() {
  try {
    const holder = lockHolder()
    if (holder === '' || isAlive(Number(holder))) return
    const aside = `${lockFile}.${process.pid}`
    renameSync(lockFile, aside)
    // Between the look and the move another process may have made the lock its own: give it back.
    if (readFileSync(aside, 'utf8') === holder) rmSync(aside)
    else renameSync(aside, lockFile)
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
  }
}

function unlock() {
  if (existsSync(lockFile) && lockHolder() === String(process.pid))
    rmSync(lockFile, { force: true })
}

async function lock() {
  for (let turn = 0; !tryLock(); turn += 1) {
    if (turn === 0) say('Waiting for another installation in this folder …')
    await pause(200)
  }
  process.on('exit', unlock)
}

async function install() {
  if (!firstDifference()) return
  await lock()
  const difference = firstDifference()
  if (difference) {
    const what =
      difference === 'node_modules'
        ? 'Installing the locked packages'
        : `Installing again (${difference} is not as locked)`
    say(`${what}: npm ci …`)
    const begun = Date.now()
    // A NODE_ENV of production would leave out what the tests and the type check need.
    const npm = spawnSync(
      'npm',
      ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'],
      {
        cwd: root,
        stdio: ['ignore', 2, 2],
      },
    )
    if (npm.status !== 0) {
      fail(
        `npm ci failed (${npm.error?.message ?? `exit code ${npm.status}`}).`,
        'The packages come from your npm registry: is it reachable?',
      )
    }
    say(`Installed in ${((Date.now() - begun) / 1000).toFixed(1)} s.`)
  }
  unlock()
}

/** The locked Node 24, or the system's own where the platform has none locked. */
function findNode() {
  const locked = join(root, 'node_modules', '.bin', 'node')
  if (existsSync(locked) && spawnSync(locked, ['--version']).status === 0) return locked
  if (major >= TYPESCRIPT_NODE) return process.execPath
  return fail(
    `Expected: Node ${TYPESCRIPT_NODE} or newer, since the lockfile brings no Node that runs on ${process.platform} ${process.arch}.`,
    `Found: Node ${process.versions.node} (${process.execPath}).`,
    'Install Node 24 (https://nodejs.org) and run the command again.',
  )
}

/** Who npm ran us by: its shell, and where that can be seen npm itself. Changes when one of them is gone. */
function callers() {
  const parent = process.ppid
  const stat = `/proc/${parent}/stat`
  if (!existsSync(stat)) return String(parent)
  const [, shell, grandparent] = /\((.*)\) \S (\d+)/.exec(readFileSync(stat, 'utf8')) ?? []
  return /^(ba|da)?sh$/.test(shell) ? `${parent} ${grandparent}` : String(parent)
}

/** npm passes a signal on to its shell alone, and nothing at all when it is killed: their end is the sign for us. */
function endWithCallers(child) {
  const atStart = callers()
  setInterval(() => callers() !== atStart && child.kill('SIGTERM'), 500).unref()
}

function run(node, script, args) {
  const binaries = [dirname(node), join(root, 'node_modules', '.bin'), process.env.PATH].join(':')
  const child = spawn(node, [join(root, script), ...args], {
    stdio: 'inherit',
    env: { ...RUNTIME, ...process.env, PATH: binaries },
  })
  // A terminal sends Ctrl-C to the whole group itself; anything else that signals us means the verb.
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'))
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  if (process.env.npm_lifecycle_event) endWithCallers(child)
  child.on('error', (error) => fail(`Could not run ${node}: ${error.message}`))
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)))
}

async function main([verb, ...args]) {
  const script = VERBS[verb]
  if (!script) fail(`Unknown verb ${verb ?? '(none)'}. Known: ${Object.keys(VERBS).join(', ')}`)
  if (major < OLDEST_NODE)
    fail(
      `Expected: Node ${OLDEST_NODE} or newer to start from.`,
      `Found: Node ${process.versions.node}.`,
    )
  await install()
  if (!existsSync(join(root, script))) fail(`${script} is missing from this checkout.`)
  run(findNode(), script, args)
}

await main(process.argv.slice(2))
