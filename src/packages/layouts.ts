import { join } from 'node:path'

/**
 * What packages of models consist of. Pulling, verifying, loading and the fingerprint all go by this
 * description. All paths are relative to the package, with `/` between folders.
 */
export const LAYOUTS = ['hugging-face', 'open-clip', 'immich'] as const
export type Layout = (typeof LAYOUTS)[number]

/** Settings of Semblance itself: what the other files leave out, and what overrides them. */
export const SUPPLEMENT_FILE = 'semblance.json'
/** What was pulled, and from where. */
export const LOCK_FILE = 'semblance.lock.json'
/** Inputs and the embeddings that the reference implementation gives for them. */
export const GOLDEN_FILE = 'golden.json'

const OPEN_CLIP_CONFIG = 'open_clip_config.json'

interface LayoutDescription {
  /** The file that describes the model. */
  config: string
  /** The file that says how images are prepared. */
  preprocessing: string
  /** Where the tokenizer may be; the first folder that has it counts. */
  tokenizerFolders: string[]
  /** Files that are pulled with it where they are there. Loading works without them. */
  extras: string[]
}

const DESCRIPTIONS: Record<Layout, LayoutDescription> = {
  'hugging-face': {
    config: 'config.json',
    preprocessing: 'preprocessor_config.json',
    tokenizerFolders: [''],
    extras: [OPEN_CLIP_CONFIG]
  },
  'open-clip': {
    config: OPEN_CLIP_CONFIG,
    preprocessing: OPEN_CLIP_CONFIG,
    tokenizerFolders: ['textual/', ''],
    extras: ['config.json']
  },
  immich: {
    config: 'config.json',
    preprocessing: 'visual/preprocess_cfg.json',
    tokenizerFolders: ['textual/'],
    extras: []
  }
}

/** The files that say how a model's towers are fed. */
export interface SettingsFiles {
  config: string
  preprocessing: string
  tokenizer: string
  tokenizerConfig: string
}

/**
 * The layout of a package with these files. Where it has both Hugging Face's and OpenCLIP's, the first
 * counts.
 */
export function layoutOf(paths: string[]): Layout {
  if (paths.includes(DESCRIPTIONS.immich.preprocessing)) return 'immich'
  const isOpenClip =
    paths.includes(OPEN_CLIP_CONFIG) && !paths.includes(DESCRIPTIONS['hugging-face'].preprocessing)
  return isOpenClip ? 'open-clip' : 'hugging-face'
}

/**
 * The settings that a package of a layout must have, in `folder` if one is given; `paths` are the files that
 * are there.
 */
export function settingsFiles(layout: Layout, paths: string[], folder = ''): SettingsFiles {
  const { config, preprocessing } = DESCRIPTIONS[layout]
  const tokenizers = tokenizerFolder(layout, paths)
  const at = (path: string) => (folder === '' ? path : join(folder, path))
  return {
    config: at(config),
    preprocessing: at(preprocessing),
    tokenizer: at(`${tokenizers}tokenizer.json`),
    tokenizerConfig: at(`${tokenizers}tokenizer_config.json`)
  }
}

/**
 * The layout to pull from a repository with these files: the usual one of its towers, or else one of which
 * all settings are there; undefined where none is complete. A package of what `settingsAndExtras` then names
 * is recognised as that layout.
 */
export function completeLayout(usual: Layout, paths: string[]): Layout | undefined {
  return [usual, ...LAYOUTS].find((layout) => lacking(layout, paths).length === 0)
}

/** The settings that a repository without a complete layout lacks. */
export function missingSettings(usual: Layout, paths: string[]): string[] {
  return lacking(paths.includes(OPEN_CLIP_CONFIG) ? 'open-clip' : usual, paths)
}

function lacking(layout: Layout, paths: string[]): string[] {
  const required = new Set(Object.values(settingsFiles(layout, paths)))
  return [...required].filter((path) => !paths.includes(path))
}

/** The settings of a layout, and the extras, which need not be there. */
export function settingsAndExtras(layout: Layout, paths: string[]): string[] {
  const specialTokens = `${tokenizerFolder(layout, paths)}special_tokens_map.json`
  return [...Object.values(settingsFiles(layout, paths)), specialTokens, ...DESCRIPTIONS[layout].extras]
}

function tokenizerFolder(layout: Layout, paths: string[]): string {
  const folders = DESCRIPTIONS[layout].tokenizerFolders
  return folders.find((folder) => paths.includes(`${folder}tokenizer.json`)) ?? folders.at(-1)!
}

/** The files by which a folder is recognised as a package: one of them is there. */
export const MARKS = [...new Set(LAYOUTS.map((layout) => DESCRIPTIONS[layout].config)), LOCK_FILE]

/** Whether a file may be in a package of any layout: cards, licences, and what Semblance adds. */
export function isCard(path: string): boolean {
  return (
    [SUPPLEMENT_FILE, GOLDEN_FILE].includes(path.toLowerCase()) ||
    /^(README\.md|LICEN[CS]E[\w-]*(\.(md|txt))?|golden\/.+)$/i.test(path)
  )
}
