// Small records that outlive a request, kept beside the sessions: sealed, so that who reads the store learns nothing, and
// changed only by who saw them as they are, so that of several requests or processes one is first.
import { createHash } from 'node:crypto'
import type { Seal } from '../session/seal.ts'
import { storeError } from '../session/session-middleware.ts'

export interface Seen {
  /** As it was given to `save` or `replace`. */
  readonly value: unknown
  /** What `replace` has to find still there. */
  readonly version: string
}

/** Each rejects with SessionStoreError. Times are epoch milliseconds. */
export interface SealedRecords {
  find(key: string): Promise<Seen | undefined>
  save(key: string, value: object, expiresAt: number): Promise<void>
  /** The version that it has now; undefined, and nothing is changed, where it is no longer what was seen. */
  replace(
    key: string,
    version: string,
    value: object,
    expiresAt: number,
  ): Promise<string | undefined>
  remove(key: string): Promise<void>
}

/** Texts by id, in whatever keeps them. */
export interface RecordTexts {
  get(id: string): Promise<string | undefined>
  set(id: string, text: string, expiresAt: number): Promise<void>
  swap(id: string, before: string, text: string, expiresAt: number): Promise<boolean>
  delete(id: string): Promise<void>
}

export interface SealedRecordsOptions {
  readonly texts: RecordTexts
  readonly seal: Seal
  /** Whose records these are: the name of the session cookie. */
  readonly app: string
  readonly now: () => number
}

interface Content {
  readonly value: unknown
  readonly expiresAt: number
}

export function createSealedRecords({
  texts,
  seal,
  app,
  now,
}: SealedRecordsOptions): SealedRecords {
  const contextOf = (key: string) => `record ${app} ${key}`
  const close = (key: string, value: object, expiresAt: number) =>
    seal.seal(Buffer.from(JSON.stringify({ value, expiresAt })), contextOf(key))

  function open(key: string, text: string): Content | undefined {
    const plain = seal.open(text, contextOf(key))
    const content = plain && (JSON.parse(plain.toString()) as Content)
    return content && now() < content.expiresAt ? content : undefined
  }

  return {
    find: (key) =>
      orStoreError(async () => {
        const text = await texts.get(idOf(key))
        const content = text === undefined ? undefined : open(key, text)
        return content && { value: content.value, version: text ?? '' }
      }),
    save: (key, value, expiresAt) =>
      orStoreError(() => texts.set(idOf(key), close(key, value, expiresAt), expiresAt)),
    replace: (key, version, value, expiresAt) =>
      orStoreError(async () => {
        const text = close(key, value, expiresAt)
        return (await texts.swap(idOf(key), version, text, expiresAt)) ? text : undefined
      }),
    remove: (key) => orStoreError(() => texts.delete(idOf(key))),
  }
}

const idOf = (key: string) => createHash('sha256').update(key).digest('base64url')

async function orStoreError<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    throw storeError(cause)
  }
}
