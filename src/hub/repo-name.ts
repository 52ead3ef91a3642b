/** A repository of the hub at a revision: a branch, a tag or a commit. */
export interface RepoRevision {
  repo: string
  revision: string
}

/** The hub's own rule: `--` and `..` are kept for folder names like those of `.pulling`. */
const NAME = /^(?!.*(--|\.\.))\w[\w.-]{0,95}(\/\w[\w.-]{0,95})?$/

/**
 * Whether this names a repository, `owner/name` or the older `name`, and with that a folder under MODELS_DIR.
 */
export function isRepoName(name: string): boolean {
  return NAME.test(name)
}

/**
 * Reads `owner/name`, `name` or either with `@revision` (else main). Throws an Error that says what is wrong.
 */
export function parseRepo(text: string): RepoRevision {
  const [repo, revision = 'main'] = text.split(/@(.*)/s)
  if (!isRepoName(repo))
    throw new Error(`'${repo}' is not a repository name: use owner/name, or owner/name@revision.`)
  if (!/^[\w./-]+$/.test(revision) || revision.includes('..'))
    throw new Error(`'${revision}' is not a revision: use a branch, a tag or a commit.`)
  return { repo, revision }
}
