// A limit on how long a person waits for others.

/** Rejects when `work` takes longer; what it does then is nobody's business any more. */
export async function withinTime<T>(
  work: Promise<T> | undefined,
  limitMs: number,
): Promise<T | undefined> {
  if (!work) return undefined
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`no answer within ${limitMs} ms`)), limitMs)
  try {
    return await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
