// Certificate and key of an https port, read from files and read again when these change.
import { readFile, stat } from 'node:fs/promises'
import type { Server } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import type { Log } from './log.ts'

export interface TlsFiles {
  readonly cert: string
  readonly key: string
}

// Below 1.3 only suites with forward secrecy and authenticated encryption: https://www.rfc-editor.org/rfc/rfc9325#section-4.2
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
]

export const TLS_OPTIONS = {
  minVersion: 'TLSv1.2',
  ciphers: CIPHERS.join(':'),
} as const satisfies SecureContextOptions

/** Certificate or key can not be read, or do not belong together. */
export class TlsFilesError extends Error {
  override readonly name = 'TlsFilesError'
  readonly code = 'tls_files_unusable'
}

/** @throws {TlsFilesError} naming both files */
export async function readTlsFiles(files: TlsFiles): Promise<{ cert: Buffer; key: Buffer }> {
  try {
    const [cert, key] = await Promise.all([readFile(files.cert), readFile(files.key)])
    createSecureContext({ ...TLS_OPTIONS, cert, key })
    return { cert, key }
  } catch (cause) {
    throw new TlsFilesError(`Certificate ${files.cert} with key ${files.key} can not be used`, {
      cause,
    })
  }
}

async function stampOf(file: string): Promise<string> {
  const found = await stat(file).catch(() => undefined)
  return found ? `${found.ino}:${found.mtimeMs}:${found.size}` : 'missing'
}

/**
 * Looks at the files every `checkMs` and serves the new certificate to new connections. Polling, because change events are
 * lost on network and overlay file systems and when a mounted secret swaps a symbolic link. Files that can not be used
 * are logged once, and the certificate before stays. @returns what ends the watch
 */
export function watchTlsFiles(
  server: Server,
  files: TlsFiles,
  log: Log | undefined,
  checkMs = 1000,
): () => void {
  const stamp = async () => (await Promise.all([files.cert, files.key].map(stampOf))).join(' ')
  let current: Promise<string> | string = stamp()
  let busy = false
  const check = async () => {
    if (busy) return
    busy = true
    try {
      const [before, now] = [await current, await stamp()]
      current = now
      if (before !== now) await reload(server as HttpsServer, files, log)
    } finally {
      busy = false
    }
  }
  const timer = setInterval(() => void check(), checkMs).unref()
  return () => clearInterval(timer)
}

async function reload(server: HttpsServer, files: TlsFiles, log: Log | undefined): Promise<void> {
  try {
    server.setSecureContext({ ...TLS_OPTIONS, ...(await readTlsFiles(files)) })
    log?.info('tls.reloaded', { cert: files.cert })
  } catch (error) {
    log?.error('tls.reload_failed', { error })
  }
}
