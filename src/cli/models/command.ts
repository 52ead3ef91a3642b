import { Command } from 'commander'
import { listCommand } from './list.js'
import { pullCommand } from './pull.js'
import { rmCommand } from './rm.js'
import { verifyCommand } from './verify.js'

/** `semblance models`: the packages under MODELS_DIR. */
export function modelsCommand(): Command {
  const models = new Command('models').description('Pull, list, verify and remove model packages.')
  for (const command of [pullCommand(), listCommand(), verifyCommand(), rmCommand()]) {
    models.addCommand(
      command.option('--models-dir <folder>', 'folder of model packages (default: MODELS_DIR)')
    )
  }
  return models
}
