// The plain files that browsers get as they are, served from the root: a table from path to content, read once. Every file of
// test-app/static is public; nothing else can be reached, since no path of a request ever becomes the path of a file.
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import type { RequestHandler } from 'express'

interface StaticFile {
  readonly contentType: string
  readonly cacheControl: string
  readonly content: Buffer
}

const FOLDER = path.join(import.meta.dirname, '..', 'static')
// The browser's half of Socket.IO comes with the server's, of the same version.
const SOCKET_PACKAGE = createRequire(import.meta.url).resolve('socket.io/package.json')
const SOCKET_CLIENT = path.join(SOCKET_PACKAGE, '..', 'client-dist', 'socket.io.esm.min.js')
export const SOCKET_CLIENT_PATH = '/js/socket.io.js'

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.ico': 'image/x-icon',
  '.png': 'image/png',
}

function fileFor(name: string, content: Buffer): StaticFile {
  const extension = path.extname(name)
  const contentType = CONTENT_TYPES[extension]
  if (contentType === undefined)
    throw new Error(
      `test-app/static/${name}: expected one of ${Object.keys(CONTENT_TYPES).join(', ')}`,
    )
  // A page is asked for anew, so that what it loads fits it.
  const cacheControl = extension === '.html' ? 'no-store' : 'max-age=300'
  return { contentType, cacheControl, content }
}

// What it says of a source map would be asked for and not found.
const withoutSourceMap = (source: Buffer) =>
  Buffer.from(source.toString('utf8').replace(/\n?\/\/# sourceMappingURL=.*\s*$/, '\n'))

function readFiles(): Map<string, StaticFile> {
  const entries = readdirSync(FOLDER, { recursive: true, withFileTypes: true })
  const found = entries
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map(({ parentPath, name }) => path.relative(FOLDER, path.join(parentPath, name)))
    .map((name) => {
      const content = readFileSync(path.join(FOLDER, name))
      return [`/${name.split(path.sep).join('/')}`, fileFor(name, content)] as const
    })
  const client = fileFor('socket.io.js', withoutSourceMap(readFileSync(SOCKET_CLIENT)))
  return new Map([...found, [SOCKET_CLIENT_PATH, client]])
}

export interface StaticFiles {
  /** Each of them is public. */
  readonly paths: ReadonlySet<string>
  /** Answers GET and HEAD of exactly these paths. */
  readonly handler: RequestHandler
}

/** Reads every file. @throws {Error} where one is of a kind that has no content type here */
export function createStaticFiles(): StaticFiles {
  const files = readFiles()
  const handler: RequestHandler = (req, res, next) => {
    const file = files.get(req.path)
    if (!file || (req.method !== 'GET' && req.method !== 'HEAD')) return next()
    res.set({ 'Content-Type': file.contentType, 'Cache-Control': file.cacheControl })
    res.send(file.content)
  }
  return { paths: new Set(files.keys()), handler }
}
