import { describe, expect, it } from 'vitest'
import { brokenFileRules } from './check-files.ts'
import { forbiddenImports, importCycles } from './check-imports.ts'
import { importTable } from './import-table.ts'
import { readImports } from './read-imports.ts'
import { trackedFiles } from './tracked-files.ts'

const files = trackedFiles()
const code = new Map([...files].filter(([path]) => path.endsWith('.ts')))
const one = (path: string, source: string) => new Map([[path, source]])

describe('this checkout', () => {
  it('was found', () => {
    expect(code.size).toBeGreaterThan(50)
    expect(code.has('adapter/server.ts')).toBe(true)
  })

  it('imports only what the table of rooms allows', () => {
    expect(forbiddenImports(code)).toEqual([])
  })

  it('imports in one direction', () => {
    expect(importCycles(code)).toEqual([])
  })

  it('keeps to the rules about files', () => {
    expect(brokenFileRules(files)).toEqual([])
  })

  it('has files in every room of the table that is a single file', () => {
    const single = importTable.map(({ room }) => room).filter((room) => room.endsWith('.ts'))
    expect(single.filter((room) => !code.has(room))).toEqual([])
  })
})

describe(readImports, () => {
  const cases: [string, ReturnType<typeof readImports>][] = [
    [`import { a } from './a.ts'`, [{ specifier: './a.ts', isType: false }]],
    [`import type { A } from './a.ts'`, [{ specifier: './a.ts', isType: true }]],
    [`import { type A } from './a.ts'`, [{ specifier: './a.ts', isType: false }]],
    [`import {\n  a,\n  b,\n} from 'redis'`, [{ specifier: 'redis', isType: false }]],
    [`import * as jose from "jose"`, [{ specifier: 'jose', isType: false }]],
    [`import express, { Router } from 'express'`, [{ specifier: 'express', isType: false }]],
    [`export { a } from './a.ts'`, [{ specifier: './a.ts', isType: false }]],
    [`export type { A } from './a.ts'`, [{ specifier: './a.ts', isType: true }]],
    [`import 'side-effect'`, [{ specifier: 'side-effect', isType: false }]],
    [`const a = await import('./a.ts')`, [{ specifier: './a.ts', isType: false }]],
    [`type A = typeof import('./a.ts')`, [{ specifier: './a.ts', isType: true }]],
    [`type A = import('./a.ts').Thing`, [{ specifier: './a.ts', isType: true }]],
    [`export const a = 1\nexport function from(b: string) {}`, []],
    [`const text = 'nothing imported from here'`, []],
  ]
  it.each(cases)('reads %j', (source, expected) => {
    expect(readImports(source)).toEqual(expected)
  })
})

describe(forbiddenImports, () => {
  const forbidden: [string, string, string][] = [
    ['a package in a pure room', 'adapter/claims/map.ts', `import { z } from 'zod'`],
    ['I/O in a pure room', 'adapter/claims/map.ts', `import { readFileSync } from 'node:fs'`],
    ['a package in the errors', 'adapter/errors.ts', `import express from 'express'`],
    [
      'openid-client in provider/',
      'adapter/provider/x.ts',
      `import * as client from 'openid-client'`,
    ],
    [
      'oidc-provider in interaction/',
      'adapter/interaction/x.ts',
      `import Provider from 'oidc-provider'`,
    ],
    ['redis outside storage/', 'adapter/interaction/x.ts', `import { createClient } from 'redis'`],
    [
      'the upstream room in provider/',
      'adapter/provider/x.ts',
      `import { a } from '../upstream/oidc-upstream.ts'`,
    ],
    [
      'an upstream engine in interaction/',
      'adapter/interaction/x.ts',
      `import { a } from '../upstream/oidc-upstream.ts'`,
    ],
    ['a room in config/', 'adapter/config/x.ts', `import { a } from '../storage/sealing.ts'`],
    ['sqlite outside storage/', 'adapter/admin/x.ts', `import { DatabaseSync } from 'node:sqlite'`],
    ['the adapter in test-app/', 'test-app/x.ts', `import { a } from '../adapter/errors.ts'`],
    [
      'the adapter in upstream-test-server/',
      'upstream-test-server/x.ts',
      `import { a } from '../adapter/errors.ts'`,
    ],
    ['the adapter in e2e/', 'e2e/x.spec.ts', `import { a } from '../adapter/server.ts'`],
    ['a room in service/', 'service/x.ts', `import { a } from '../adapter/errors.ts'`],
    ['vitest outside tests', 'adapter/claims/x.ts', `import { it } from 'vitest'`],
    [
      'another room in a test',
      'adapter/claims/x.test.ts',
      `import { a } from '../storage/sealing.ts'`,
    ],
    [
      'a lazy import',
      'adapter/provider/x.ts',
      ['const a = await im', `port('openid-client')`].join(''),
    ],
    ['a file in no room', 'elsewhere/x.ts', ``],
  ]
  it.each(forbidden)('finds %s', (_name, path, source) => {
    expect(forbiddenImports(one(path, source))).toHaveLength(1)
  })

  const allowed: [string, string, string][] = [
    [
      'a type from anywhere',
      'adapter/claims/x.ts',
      `import type { Driver } from '../storage/driver.ts'`,
    ],
    ['an engine in its home', 'adapter/upstream/x.ts', `import * as client from 'openid-client'`],
    ['a neighbour', 'adapter/claims/x.ts', `import { a } from './y.ts'`],
    ['a contract', 'adapter/interaction/x.ts', `import { a } from '../upstream/upstream.ts'`],
    ['vitest in a test', 'adapter/claims/x.test.ts', `import { it } from 'vitest'`],
    [
      'every room in the composition root',
      'adapter/server.ts',
      `import { a } from './upstream/upstreams.ts'`,
    ],
  ]
  it.each(allowed)('lets %s pass', (_name, path, source) => {
    expect(forbiddenImports(one(path, source))).toEqual([])
  })
})

describe(importCycles, () => {
  it('finds a circle of three', () => {
    const circle = new Map([
      ['a.ts', `import { b } from './b.ts'`],
      ['b.ts', `import { c } from './c.ts'`],
      ['c.ts', `import { a } from './a.ts'`],
    ])
    expect(importCycles(circle)).toEqual(['a.ts → b.ts → c.ts → a.ts'])
  })

  it('lets two ways to one file and circles of types pass', () => {
    const diamond = new Map([
      ['a.ts', `import { b } from './b.ts'\nimport { c } from './c.ts'`],
      ['b.ts', `import { d } from './d.ts'`],
      ['c.ts', `import { d } from './d.ts'`],
      ['d.ts', `import type { a } from './a.ts'`],
    ])
    expect(importCycles(diamond)).toEqual([])
  })
})

describe(brokenFileRules, () => {
  const comment = '// What it owns.\n'
  const broken: [string, string, string][] = [
    ['camel case', 'service/requestLog.ts', ''],
    ['a junk drawer', 'service/utils.ts', ''],
    ['an index', 'adapter/claims/index.ts', comment],
    ['a file that does not say what it owns', 'adapter/claims/x.ts', 'export const a = 1'],
    [
      'the environment read in a room',
      'adapter/provider/x.ts',
      `${comment}const a = process.env['A']`,
    ],
    ['a skipped test', 'service/x.test.ts', ['it.', 'skip("later")'].join('')],
    ['a lone test', 'service/x.test.ts', ['describe.', 'only("this")'].join('')],
    ['unfinished code', 'service/x.ts', ['// TO', 'DO: more'].join('')],
    ['somebody’s folder', 'docs/x.md', ['see /ho', 'me/somebody/x'].join('')],
    [
      'somebody’s registry',
      'package-lock.json',
      ['"resol', 'ved": "https://packages.example.test/a.tgz"'].join(''),
    ],
  ]
  it.each(broken)('finds %s', (_name, path, source) => {
    expect(brokenFileRules(one(path, source))).toHaveLength(1)
  })

  const fine: [string, string, string][] = [
    ['kebab case', 'service/request-log.test.ts', ''],
    ['the environment in main.ts', 'adapter/main.ts', `${comment}const a = process.env['A']`],
    ['an opening comment', 'adapter/claims/x.ts', comment],
    [
      'paths of URLs and containers',
      'docs/x.md',
      'https://example.test/home/x and /data/x and /app',
    ],
    [
      'the public registry',
      'package-lock.json',
      '"resolved": "https://registry.npmjs.org/a/-/a-1.0.0.tgz"',
    ],
  ]
  it.each(fine)('lets %s pass', (_name, path, source) => {
    expect(brokenFileRules(one(path, source))).toEqual([])
  })
})
