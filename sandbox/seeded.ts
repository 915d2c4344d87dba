/**
 * Randomness that is a pure function of its inputs, so that journal 734,211 of a million can be made without making the
 * 734,210 before it, and so that one seed is one set of books for ever.
 */

/** Mixes three integers into one unsigned 32-bit integer (murmur3's finaliser over a running state). */
export function mix(seed: number, a: number, b = 0): number {
  let h = (seed ^ Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca77)) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  h ^= h >>> 16;
  h = Math.imul((h + Math.imul(b, 0x27d4eb2f)) ^ (h >>> 15), 0x2c1b3c6d);
  return (h ^ (h >>> 13)) >>> 0;
}

/** Mixes a text into an unsigned 32-bit integer (FNV-1a); used for anchors that must differ from tenant to tenant. */
export function mixText(text: string, seed = 0): number {
  let h = (0x811c9dc5 ^ seed) >>> 0;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return mix(h >>> 0, text.length);
}

/** A stream of numbers from one seed (mulberry32): [0, 1). */
export function randomStream(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

// 65,536 four-digit pieces: a page of journals holds about 550 ids, so ids are what a page costs.
const HEX4 = Array.from({ length: 65_536 }, (_, n) => n.toString(16).padStart(4, '0'));
const hex4 = (n: number): string => HEX4[n & 0xffff] ?? '0000';

/** A version-4-shaped uuid, a pure function of (seed, a, b). `seed` should carry the kind of thing that is named. */
export function seededUuid(seed: number, a: number, b = 0): string {
  const w = mix(seed, a, b);
  const x = mix(seed ^ 0x51ed270b, b, a);
  const y = mix(w, x, a);
  const z = mix(x, y, b);
  return `${hex4(w >>> 16)}${hex4(w)}-${hex4(x)}-${hex4(0x4000 | ((x >>> 16) & 0xfff))}-${hex4(
    0x8000 | (y & 0x3fff),
  )}-${hex4(y >>> 16)}${hex4(z >>> 16)}${hex4(z)}`;
}
