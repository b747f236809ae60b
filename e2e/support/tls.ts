// A throw-away certificate authority and one certificate for each host name, made with the openssl program.
import { spawnSync } from 'node:child_process'
import { createHash, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { findOpenssl } from '../../scripts/find-openssl.ts'

export interface Certificates {
  /** PEM file, for NODE_EXTRA_CA_CERTS. */
  ca: string
  /** PEM files by host name. */
  files: Readonly<Record<string, { cert: string; key: string }>>
  /** SHA-256 of each public key in base64, for Chromium's --ignore-certificate-errors-spki-list. */
  spkiHashes: readonly string[]
}

const DAYS = '7'
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', DAYS]

function openssl(args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(findOpenssl().path, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`openssl ${args[0]} failed: ${error?.message ?? stderr}`)
}

function makeAuthority(folder: string): { cert: string; key: string } {
  const files = { cert: join(folder, 'ca.pem'), key: join(folder, 'ca.key') }
  const extensions = ['-addext', 'keyUsage=critical,keyCertSign']
  openssl([
    'req',
    '-x509',
    ...NEW_KEY,
    '-keyout',
    files.key,
    '-out',
    files.cert,
    '-subj',
    '/CN=throw-away CA',
    ...extensions,
  ])
  return files
}

function makeLeaf(
  folder: string,
  host: string,
  authority: { cert: string; key: string },
): { cert: string; key: string } {
  const files = { cert: join(folder, `${host}.pem`), key: join(folder, `${host}.key`) }
  const extensions = [
    '-addext',
    `subjectAltName=DNS:${host}`,
    '-addext',
    'basicConstraints=critical,CA:FALSE',
  ]
  const signer = ['-CA', authority.cert, '-CAkey', authority.key]
  openssl([
    'req',
    '-x509',
    ...NEW_KEY,
    ...signer,
    '-keyout',
    files.key,
    '-out',
    files.cert,
    '-subj',
    `/CN=${host}`,
    ...extensions,
  ])
  return files
}

function spkiHash(file: string): string {
  const key = new X509Certificate(readFileSync(file)).publicKey.export({
    type: 'spki',
    format: 'der',
  })
  return createHash('sha256').update(key).digest('base64')
}

export function makeCertificates(folder: string, hosts: readonly string[]): Certificates {
  const authority = makeAuthority(folder)
  const leaves = hosts.map((host) => [host, makeLeaf(folder, host, authority)] as const)
  return {
    ca: authority.cert,
    files: Object.fromEntries(leaves),
    spkiHashes: leaves.map(([, { cert }]) => spkiHash(cert)),
  }
}
