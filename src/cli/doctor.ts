import { Command } from 'commander'
import type { Finding } from '../doctor.js'
import { host } from './host.js'

const MARKS: Record<Finding['status'], string> = { ok: 'ok  ', warn: 'WARN', fail: 'FAIL' }

/** `semblance doctor`: what works here and what does not; exits with 1 when something does not. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description(
      'Check the machine, the execution providers, the configured models and the store, without ' +
        'changing anything.'
    )
    .option('--json', 'print the findings as JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const { readConfig } = await import('../config.js')
      const { examine } = await import('../doctor.js')
      const findings: Finding[] = []
      for await (const finding of examine(readConfig(host().env))) {
        findings.push(finding)
        if (!json)
          host().stdout.write(`${MARKS[finding.status]} ${finding.topic.padEnd(8)} ${finding.text}\n`)
      }
      if (json) host().stdout.write(`${JSON.stringify({ findings }, null, 2)}\n`)
      if (findings.some(({ status }) => status === 'fail')) host().exitCode = 1
    })
}
