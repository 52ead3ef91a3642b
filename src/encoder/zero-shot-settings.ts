import type { Family, Supplement, ZeroShotSettings } from './package-settings.js'

/**
 * CLIP was trained with its logit scale clipped at 100, and every released checkpoint ends there (Radford et
 * al. 2021, 2.5).
 */
const CLIP_LOGIT_SCALE = 100

/** How a family classifies, with what its files say of the scale. */
export function zeroShotSettings(
  family: Family,
  says: { logit_scale?: number; logit_bias?: number },
  supplement: Supplement
): ZeroShotSettings {
  const logitScale =
    supplement.logit_scale ?? says.logit_scale ?? (family === 'clip' ? CLIP_LOGIT_SCALE : undefined)
  const logitBias = supplement.logit_bias ?? says.logit_bias
  return {
    activation: family === 'siglip' ? 'sigmoid' : 'softmax',
    ...(logitScale !== undefined && { logitScale }),
    ...(logitBias !== undefined && { logitBias }),
    template:
      supplement.template ?? (family === 'siglip' ? 'This is a photo of {label}.' : 'a photo of a {label}.')
  }
}
