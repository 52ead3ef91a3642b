// What 'tap' is in a test file that shares its process: the subtest of the file.
import tap from 'tap'

export default globalThis[Symbol.for('semblance.test')] ?? tap
