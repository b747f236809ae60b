import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import type { ClaimsReport } from './claims-explain.ts'

const CLI = fileURLToPath(new URL('../cli.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'claims-explain-'))
afterAll(() => rmSync(folder, { recursive: true }))

const CONFIG = `issuer: http://127.0.0.1:9000
upstreams:
  corp:
    kind: oidc
    issuer: https://login.corp.test
    client_id: broker
    client_secret: secret
    claims:
      name: name
      email: mail
      roles:
        from: groups
        filter: [app-*]
        in: [access_token]
      tenant: { constant: acme }
      department: { from: dept, required: true }
    require: { claims: { sub: u1 } }
clients:
  app:
    client_secret: secret
    redirect_uris: [http://127.0.0.1:8080/cb]
    scope: openid profile
  hr:
    client_secret: secret
    redirect_uris: [http://127.0.0.1:8081/cb]
    claims:
      shoe_size: shoe_size
      department: { from: dept, values: { 'R&D': research } }
`

const ID_TOKEN = {
  iss: 'https://login.corp.test',
  sub: 'u1',
  name: 'Ada',
  groups: ['app-user', 'staff'],
  dept: 'R&D',
  shoe_size: 38,
}

function written(name: string, content: unknown): string {
  const file = join(folder, name)
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
  return file
}

written('auth-adapter.yaml', CONFIG)
const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const jwt = (claims: unknown) => `${encoded({ alg: 'RS256' })}.${encoded(claims)}.c2lnbmF0dXJl\n`
const idToken = written('id-token.json', ID_TOKEN)
const userinfo = written('userinfo.json', { sub: 'u1', name: 'Eve', mail: 'ada@corp.test' })

interface Outcome {
  code: number
  stdout: string
  stderr: string
}

function explain(...args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [CLI, 'claims', 'explain', ...args],
      { cwd: folder, env: { PATH: process.env['PATH'] } },
      (error, stdout, stderr) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }),
    )
  })
}

describe('auth-adapter claims explain', () => {
  it('shows for each claim its value, where it comes from, where it goes, and the line of its rule', async () => {
    const args = ['--upstream', 'corp', '--id-token', idToken, '--userinfo', userinfo]
    const { code, stdout } = await explain(...args, '--client', 'app')
    expect(code).toBe(0)
    const rows = stdout.split('\n').map((line) => line.split(/ {2,}/))
    expect(rows).toEqual([
      ['What "corp" makes of these claims. Signatures and times are not checked.'],
      [''],
      ['claim', 'value', 'from', 'goes to', 'rule'],
      [
        'name',
        '"Ada"',
        'id_token name = "Ada"',
        'profile: id_token, access_token, userinfo',
        'auth-adapter.yaml:9',
      ],
      [
        'email',
        '"ada@corp.test"',
        'userinfo mail = "ada@corp.test"',
        'nowhere: app may not ask for email',
        'auth-adapter.yaml:10',
      ],
      [
        'roles',
        '["app-user"]',
        'id_token groups = ["app-user","staff"]',
        'openid: access_token',
        'auth-adapter.yaml:12',
      ],
      [
        'tenant',
        '"acme"',
        'constant',
        'openid: id_token, access_token, userinfo',
        'auth-adapter.yaml:15',
      ],
      [
        'department',
        '"R&D"',
        'id_token dept = "R&D"',
        'openid: id_token, access_token, userinfo',
        'auth-adapter.yaml:16',
      ],
      [''],
      ['dropped', 'said in', 'why'],
      ['iss', 'id_token', 'about the token, not about the person'],
      ['sub', 'id_token', 'makes our sub; no rule reads it'],
      ['shoe_size', 'id_token', 'no rule reads it'],
      ['sub', 'userinfo', 'makes our sub; no rule reads it'],
      ['name', 'userinfo', 'the ID token says it too, and is signed'],
      [''],
      ['Such a sign-in would succeed.'],
      [''],
    ])
  })

  it('gives the same as JSON, of a JWT too', async () => {
    const token = written('id-token.jwt', jwt(ID_TOKEN))
    const { code, stdout } = await explain('--upstream', 'corp', '--id-token', token, '--json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      upstream: 'corp',
      signaturesChecked: false,
      faults: [],
      claims: expect.arrayContaining([
        {
          claim: 'roles',
          source: 'id_token',
          paths: ['groups'],
          raw: ['app-user', 'staff'],
          value: ['app-user'],
          scope: 'openid',
          goesTo: ['access_token'],
          line: 12,
        },
      ]),
    })
  })

  it('the rules of a client win over those of the upstream, with their own lines', async () => {
    const args = ['--upstream', 'corp', '--id-token', idToken, '--json']
    const claimsFor = async (...more: string[]) => {
      const report = JSON.parse((await explain(...args, ...more)).stdout) as ClaimsReport
      return report.claims.map(({ claim, value, line }) => [claim, value, line])
    }
    const own = await claimsFor('--client', 'hr')
    expect(own).toContainEqual(['department', 'research', 28])
    expect(own).toContainEqual(['shoe_size', 38, 27])
    const others = await claimsFor('--client', 'app')
    expect(others).toContainEqual(['department', 'R&D', 16])
    expect(others.map(([claim]) => claim)).not.toContain('shoe_size')
  })

  it('ends with 1 when such a sign-in would fail, and says why', async () => {
    const other = written('other.json', { sub: 'u2', dept: 'x' })
    const args = ['--upstream', 'corp', '--id-token', written('bare.json', { sub: 'u1' })]
    const { code, stdout } = await explain(...args, '--userinfo', other)
    expect(code).toBe(1)
    expect(stdout).toContain('- Userinfo sub is not the sub of the ID token\n')
    const missing = await explain('--upstream', 'corp', '--id-token', written('no.json', {}))
    expect(missing.code).toBe(1)
    expect(missing.stdout).toContain(
      '- The ID token has no sub\n- Denied by require.claims.sub\n- Claim "department" is required, and the upstream did not send it\n',
    )
  })

  it('says that a sign-in would fail for want of the claim of subject_alias', async () => {
    const alias = '    subject_alias: { group: staff, claim: oid }\n    require:'
    const file = written('alias.yaml', CONFIG.replace('    require:', alias))
    const args = ['-c', file, '--upstream', 'corp', '--id-token']
    const missing = await explain(...args, idToken)
    expect([missing.code, missing.stdout]).toEqual([
      1,
      expect.stringContaining('- Claim "oid" of subject_alias is not there'),
    ])
    expect((await explain(...args, written('oid.json', { ...ID_TOKEN, oid: 7 }))).code).toBe(0)
  })

  it('asks the hook too', async () => {
    written(
      'hook.ts',
      `export const mapClaims = ({ idToken, claims }: any) =>
        idToken.deny ? { deny: 'left' } : { ...claims, tenant: 'by the hook' }`,
    )
    const hooked = CONFIG.replace('    require:', '    hooks: ./hook.ts\n    require:')
    const args = ['-c', written('hooked.yaml', hooked), '--upstream', 'corp', '--id-token']
    const { code, stdout } = await explain(...args, idToken)
    expect(code).toBe(0)
    expect(stdout).toMatch(/tenant +"by the hook" +hook; its rule gave "acme" +.*hooked\.yaml:15/)
    const denied = await explain(...args, written('deny.json', { ...ID_TOKEN, deny: 1 }))
    expect([denied.code, denied.stdout]).toEqual([
      1,
      expect.stringContaining('- Denied by hooks: left'),
    ])
  })

  it('ends with 2 for a hook that can not be used, and names the file', async () => {
    written('no-hook.ts', 'export const other = 1')
    const hooked = CONFIG.replace('    require:', '    hooks: ./no-hook.ts\n    require:')
    const args = ['-c', written('no-hook.yaml', hooked), '--upstream', 'corp', '--id-token']
    expect(await explain(...args, idToken)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/upstreams\.corp\.hooks.*no-hook\.ts/s),
    })
  })

  it('draws nothing that a token says', async () => {
    const said = { ...ID_TOKEN, name: '\u001b[31m\u009b\u202e', 'x\u001b[2J': 1 }
    const { stdout } = await explain('--upstream', 'corp', '--id-token', written('esc.json', said))
    // oxlint-disable-next-line no-control-regex
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
    expect(stdout).toContain('x\\u{1b}[2J')
  })

  it.each([
    [
      'an upstream of no such name',
      ['--upstream', 'crop', '--id-token', idToken],
      'Did you mean "corp"?',
    ],
    [
      'a client of no such name',
      ['--upstream', 'corp', '--id-token', idToken, '--client', 'x'],
      'There are: app, hr',
    ],
    ['a file that is not there', ['--upstream', 'corp', '--id-token', 'none'], 'ENOENT'],
    ['no upstream', ['--id-token', idToken], '--upstream'],
  ])('ends with 2 for %s', async (_name, args, says) => {
    expect(await explain(...args)).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining(says),
    })
  })

  it.each(['canary-text', '["canary"]', '{"canary"', 'a.canary', 'a.Y2FuYXJ5.c', 'a.b.c.d.canary'])(
    'ends with 2 for what is no token, and repeats nothing of it: %s',
    async (content) => {
      const token = written('wrong', content)
      const { code, stdout, stderr } = await explain('--upstream', 'corp', '--id-token', token)
      expect([code, stdout]).toEqual([2, ''])
      expect(stderr).toContain('--id-token: Expected a signed JWT or a JSON object')
      expect(stderr).not.toContain('canary')
    },
  )
})
