import { spawnSync } from 'node:child_process'

// Asks the registry for known vulnerabilities of what is shipped (no development dependencies). Ends with 0
// where there is none of weight, with 1 where there is, and with 2 where the registry could not be asked,
// which npm itself does not tell from the second. Registry signatures are not asked for: the lock file's
// hashes pin what is installed.

const GRAVE = ['high', 'critical']

const { stdout, stderr } = spawnSync('npm', ['audit', '--omit=dev', '--json'], {
  encoding: 'utf8',
  maxBuffer: 1 << 26,
  shell: process.platform === 'win32'
})
const report = parse(stdout)
if (!report?.vulnerabilities) {
  console.error(
    'THE DEPENDENCIES WERE NOT AUDITED: the registry did not answer. ' +
      `${report?.message ?? report?.error?.summary ?? stderr.trim().split('\n').at(-1)}`
  )
  process.exit(2)
}
const found = Object.values(report.vulnerabilities)
for (const { name, severity, range, via, fixAvailable } of found) {
  const reasons = via.map((reason) =>
    typeof reason === 'string' ? `through ${reason}` : `${reason.title} (${reason.url})`
  )
  console.error(
    `${severity}: ${name} ${range}: ${reasons.join('; ')}${fixAvailable ? '; a fix is available' : ''}`
  )
}
const grave = found.filter(({ severity }) => GRAVE.includes(severity))
console.error(`${found.length} vulnerable dependencies, ${grave.length} of them high or critical.`)
process.exit(grave.length > 0 ? 1 : 0)

function parse(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
