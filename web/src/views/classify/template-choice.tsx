import { LONG_PAUSE_MS, useTyped } from '../../use-typed.js'
import { linesOf, TEMPLATE_SETS } from './classify-request.js'

/** What own templates begin with. */
const FIRST_OWN = ['a photo of a {label}.', 'a drawing of a {label}.']

interface TemplateChoiceProps {
  templates: string | string[] | undefined
  /** The templates of the last answer, written out. */
  used: string[] | undefined
  onChange: (templates: string | string[] | undefined) => void
}

/** Which templates the labels are put into: those of the model, a set by name, or own ones. */
export function TemplateChoice({ templates, used, onChange }: TemplateChoiceProps) {
  const isOwn = Array.isArray(templates)
  const choose = (value: string) =>
    onChange(value === 'own' ? (used && used.length <= 7 ? used : FIRST_OWN) : value || undefined)
  return (
    <div class="templates">
      <label class="field">
        <span>Templates</span>
        <select
          value={isOwn ? 'own' : (templates ?? '')}
          onChange={({ currentTarget }) => choose(currentTarget.value)}
        >
          <option value="">The model's own</option>
          {TEMPLATE_SETS.map((set) => (
            <option key={set} value={set}>
              {set}
            </option>
          ))}
          <option value="own">Own ones</option>
        </select>
      </label>
      {isOwn ? (
        <OwnTemplates templates={templates} onChange={onChange} />
      ) : (
        used && (
          <details>
            <summary>{used.length === 1 ? used[0] : `${used.length} templates, averaged`}</summary>
            <ul class="mono">
              {used.map((template) => (
                <li key={template}>{template}</li>
              ))}
            </ul>
          </details>
        )
      )}
    </div>
  )
}

function OwnTemplates({
  templates,
  onChange
}: {
  templates: string[]
  onChange: (templates: string[]) => void
}) {
  const { text, type, settle } = useTyped(templates.join('\n'), (typed) => onChange(linesOf(typed)), {
    pauseMs: LONG_PAUSE_MS,
    linkedOf: (typed) => linesOf(typed).join('\n')
  })
  return (
    <label class="field">
      <span>
        One a line, each with <code>{'{label}'}</code>
      </span>
      <textarea
        rows={4}
        spellcheck={false}
        value={text}
        onInput={({ currentTarget }) => type(currentTarget.value)}
        onBlur={settle}
      />
    </label>
  )
}
