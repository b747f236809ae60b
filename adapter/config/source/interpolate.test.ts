import { describe, expect, it } from 'vitest'
import { interpolate } from './interpolate.ts'

const sources = {
  env: { A: 'a', EMPTY: '', NESTED: '${A}' },
  readFile: (path: string) => {
    if (path === 'there') return 'line\r\n'
    throw Object.assign(new Error('no'), { code: 'ENOENT' })
  },
}

describe('interpolate', () => {
  it.each([
    ['plain $ { } text', 'plain $ { } text'],
    ['${A}', 'a'],
    ['x${A}y${A}z', 'xayaz'],
    ['${B:-}', ''],
    ['${B:-b:-c}', 'b:-c'],
    ['${EMPTY:-dflt}', 'dflt'],
    ['${EMPTY}', ''],
    ['${NESTED}', '${A}'],
    ['$${A}', '${A}'],
    ['$$${A}', '$${A}'],
    ['a$${A}b${A}', 'a${A}ba'],
    ['${file:there}', 'line'],
  ])('%s gives %s', (text, result) => {
    expect(interpolate(text, sources)).toMatchObject({ text: result, faults: [] })
  })

  it.each([
    '${',
    '${}',
    '${A',
    '${1A}',
    '${A:dflt}',
    '${A-B}',
    '${file:nope}',
    '${toString}',
    '${NOPE}',
  ])('%s is a fault', (text) => {
    expect(interpolate(text, sources).faults).toHaveLength(1)
  })

  it('tells what came from outside from what stands in the text', () => {
    expect(interpolate('${A}', sources).isFromOutside).toBe(true)
    expect(interpolate('${file:there}', sources).isFromOutside).toBe(true)
    expect(interpolate('${B:-b}', sources).isFromOutside).toBe(false)
    expect(interpolate('$${A}', sources).isFromOutside).toBe(false)
  })
})
