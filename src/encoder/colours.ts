/**
 * CMYK without a profile says nothing of its inks; the plain conversion is Pillow's, which the towers were
 * fed by.
 */
export function cmykToRgb(samples: Uint8Array, channels: number): Uint8Array {
  const pixels = samples.length / channels
  const rgb = new Uint8Array(pixels * 3)
  for (let p = 0, out = 0; p < samples.length; p += channels) {
    const white = 255 - samples[p + 3]
    for (let ink = 0; ink < 3; ink++) {
      // The product over 255, rounded, in whole numbers: 64 million pixels are a matter of seconds otherwise.
      const covered = samples[p + ink] * white + 128
      rgb[out++] = white - ((covered + (covered >> 8)) >> 8)
    }
  }
  return rgb
}

/** XYZ of CIE's illuminant D50, to which ICC's Lab is relative. */
const D50 = [0.9642, 1, 0.8249]
/** XYZ relative to D50 to linear sRGB, by Bradford's adaptation (IEC 61966-2-1; ICC.1:2022, annex E). */
const XYZ_TO_RGB = [
  [3.1338561, -1.6168667, -0.4906146],
  [-0.9787684, 1.9161415, 0.033454],
  [0.0719453, -0.2289914, 1.4052427]
]
/** Steps of the table of sRGB's curve. */
const STEPS = 4095
const SRGB = Uint8Array.from({ length: STEPS + 1 }, (_, i) => {
  const linear = i / STEPS
  return Math.round(255 * (linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055))
})

/**
 * 8-bit Lab of TIFF to sRGB, in place, three channels: L from 0 to 255, a and b signed (`cieLab`, TIFF 6.0
 * section 23) or with 128 added (`iccLab`).
 */
export function labToRgb(samples: Uint8Array, coding: 'cieLab' | 'iccLab'): void {
  const offset = coding === 'cieLab' ? 0 : 128
  for (let p = 0; p < samples.length; p += 3) {
    const y = ((samples[p] / 255) * 100 + 16) / 116
    const a = ((samples[p + 1] - offset) << 24) >> 24
    const b = ((samples[p + 2] - offset) << 24) >> 24
    const x = D50[0] * inverse(y + a / 500)
    const z = D50[2] * inverse(y - b / 200)
    const luminance = inverse(y)
    for (let channel = 0; channel < 3; channel++) {
      const [fromX, fromY, fromZ] = XYZ_TO_RGB[channel]
      const linear = fromX * x + fromY * luminance + fromZ * z
      samples[p + channel] = SRGB[Math.round(Math.min(1, Math.max(0, linear)) * STEPS)]
    }
  }
}

/** The inverse of Lab's curve. */
function inverse(t: number): number {
  return t > 6 / 29 ? t * t * t : (t - 4 / 29) * (108 / 841)
}
