import { describe, expect, it } from 'vitest'
import { findJava, javaVersionIn } from './find-java.ts'

describe(javaVersionIn, () => {
  it.each([
    ['openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime Environment', '17.0.15'],
    ['openjdk version "25" 2025-09-16', '25'],
    ['java version "1.8.0_402"', '1.8.0_402'],
    ['The operation could not be completed.', undefined],
  ])('%j', (printed, version) => {
    expect(javaVersionIn(printed)).toBe(version)
  })
})

describe(findJava, () => {
  it('says what to install where there is none', () => {
    expect(() => findJava({ PATH: '', JAVA_HOME: '/nowhere' })).toThrow(
      /^Keycloak needs Java 17 or later, and Maven to fetch it\..*\n.*apt-get install/,
    )
  })
})
