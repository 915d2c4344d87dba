/**
 * Reads past JSON (RFC 8259) byte by byte, held to its grammar: what JSON.parse would refuse is refused. Nothing is made on
 * the way, neither objects nor closures: a page has ten thousand values, and clearing up after them cost more than they did.
 */

export class NotJson extends Error {}

/** Nothing that Xero sends lies this deep. */
const deepest = 200;

const code = (char: string) => char.charCodeAt(0);
const [minus, plus, point] = [code('-'), code('+'), code('.')];
const [zero, nine] = [code('0'), code('9')];
export const [quote, backslash, comma, colon] = [code('"'), code('\\'), code(','), code(':')];
export const [openBrace, closeBrace, openBracket, closeBracket] = [code('{'), code('}'), code('['), code(']')];

const escapes = new Set([...'"\\/bfnrt'].map(code));
const literals = ['true', 'false', 'null'].map((word) => [...word].map(code));

/** Not 0 where a run of a string's plain bytes ends: at its quote, at a backslash, at what must not stand there. */
const endsRun = new Uint8Array(256).fill(1, 0, 0x20);
endsRun[quote] = endsRun[backslash] = 1;

/** The ends of the lists that a value lies in. One for all, as nobody else reads while a value is read. */
const ends = new Uint8Array(deepest);

/** Where the next byte stands that is not white space. */
export function pastSpace(bytes: Uint8Array, from: number): number {
  let at = from;
  for (; ; at++) {
    const byte = bytes[at];
    if (byte === undefined || byte > 0x20) return at;
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return at;
  }
}

/** Past a value that begins at `from` or behind white space there. */
export function pastValue(bytes: Uint8Array, from: number): number {
  let at = from;
  let depth = 0;
  for (;;) {
    at = pastSpace(bytes, at);
    const first = bytes[at];
    if (first === openBrace || first === openBracket) {
      if (depth === deepest) throw new NotJson();
      const end = first === openBrace ? closeBrace : closeBracket;
      ends[depth++] = end;
      at = pastSpace(bytes, at + 1);
      if (bytes[at] !== end) {
        if (end === closeBrace) at = pastName(bytes, at);
        continue;
      }
    } else at = pastScalar(bytes, at, first);

    // Behind a value stand the ends of lists that it closes, then a comma and the next one.
    for (;;) {
      if (depth === 0) return at;
      at = pastSpace(bytes, at);
      const end = ends[depth - 1];
      if (bytes[at] === end) {
        depth--;
        at++;
        continue;
      }
      if (bytes[at] !== comma) throw new NotJson();
      at++;
      if (end === closeBrace) at = pastName(bytes, at);
      break;
    }
  }
}

/** Past a member's name and its colon. */
function pastName(bytes: Uint8Array, from: number): number {
  const name = pastSpace(bytes, from);
  if (bytes[name] !== quote) throw new NotJson();
  const at = pastSpace(bytes, pastString(bytes, name));
  if (bytes[at] !== colon) throw new NotJson();
  return at + 1;
}

function pastScalar(bytes: Uint8Array, at: number, first: number | undefined): number {
  if (first === quote) return pastString(bytes, at);
  return first === minus || isDigit(first) ? pastNumber(bytes, at) : pastLiteral(bytes, at);
}

/** Past a string whose quote stands at `from`. */
export function pastString(bytes: Uint8Array, from: number): number {
  let at = from + 1;
  for (;;) {
    // Where the text ends there is no byte, which ends a run, too.
    while (endsRun[bytes[at] ?? 0] === 0) at++;
    const byte = bytes[at];
    if (byte === quote) return at + 1;
    if (byte !== backslash) throw new NotJson();
    at = pastEscape(bytes, at + 1);
  }
}

function pastEscape(bytes: Uint8Array, at: number): number {
  const escaped = bytes[at] ?? 0;
  if (escapes.has(escaped)) return at + 1;
  if (escaped !== code('u')) throw new NotJson();
  for (let digit = at + 1; digit <= at + 4; digit++) if (!isHexDigit(bytes[digit] ?? 0)) throw new NotJson();
  return at + 5;
}

function pastNumber(bytes: Uint8Array, from: number): number {
  let at = from;
  if (bytes[at] === minus) at++;
  if (bytes[at] === zero) at++;
  else at = pastDigits(bytes, at);
  if (bytes[at] === point) at = pastDigits(bytes, at + 1);
  // A small letter is its capital with this bit set.
  if (((bytes[at] ?? 0) | 0x20) !== code('e')) return at;
  const sign = bytes[at + 1];
  return pastDigits(bytes, sign === plus || sign === minus ? at + 2 : at + 1);
}

function pastDigits(bytes: Uint8Array, from: number): number {
  let at = from;
  while (isDigit(bytes[at])) at++;
  if (at === from) throw new NotJson();
  return at;
}

function pastLiteral(bytes: Uint8Array, at: number): number {
  const word = literals.find((letters) => letters.every((letter, index) => bytes[at + index] === letter));
  if (!word) throw new NotJson();
  return at + word.length;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= zero && byte <= nine;
}

function isHexDigit(byte: number): boolean {
  const small = byte | 0x20;
  return isDigit(byte) || (small >= code('a') && small <= code('f'));
}
