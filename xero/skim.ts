/**
 * Reads a few facts off a page's bytes without building its objects, which only Postgres needs: they are a megabyte of
 * garbage a page, and V8 makes those of a long text in its old generation, where clearing up costs more than reading them. The
 * whole text is held to JSON's grammar (RFC 8259): what JSON.parse would refuse is refused here.
 */

export interface SkimmedPage {
  /** For each element of the array what it holds under the key asked for; undefined where it is not there. */
  rows: unknown[];
  /** Xero's `pagination`, undefined where it sends none. */
  pagination: unknown;
}

/** Nothing that Xero sends lies this deep, and the stack must not be filled from outside. */
const deepest = 200;

/**
 * The rows of the array `name` of an answer, of each what it has under `key`, if one is given. Null when the answer is an object without such an
 * array, or no object. Throws `NotJson` when the bytes are not one complete JSON text.
 */
export function skimPage(bytes: Uint8Array, name: string, key?: string): SkimmedPage | null {
  const reader = new JsonReader(bytes);
  let rows: unknown[] | null = null;
  let pagination: unknown;
  const isArray = reader.nameIs(name);
  const isPagination = reader.nameIs('pagination');
  const isKey = key === undefined ? () => false : reader.nameIs(key);

  const readRow = () => {
    let found: unknown;
    reader.value({
      member: (from, to) => {
        if (isKey(from, to)) found = reader.parsed();
        else reader.value();
      },
    });
    rows?.push(found);
  };
  reader.value({
    member: (from, to) => {
      if (isPagination(from, to)) pagination = reader.parsed();
      else if (isArray(from, to)) {
        // As with JSON.parse the last one counts, should a name come twice.
        rows = reader.isAtArray() ? [] : null;
        reader.value({ element: readRow });
      } else reader.value();
    },
  });
  reader.end();
  return rows === null ? null : { rows, pagination };
}

export class NotJson extends Error {}

/** Who is told of what lies directly in a value, and must read it: a member's value, given where its name lies, or an element. */
interface Listener {
  member?: (nameFrom: number, nameTo: number) => void;
  element?: () => void;
}

const code = (char: string) => char.charCodeAt(0);
const [quote, backslash, comma, colon] = [code('"'), code('\\'), code(','), code(':')];
const [openBrace, closeBrace, openBracket, closeBracket] = [code('{'), code('}'), code('['), code(']')];
const [minus, plus, point, zero, nine] = [code('-'), code('+'), code('.'), code('0'), code('9')];
const escapes = new Set([...'"\\/bfnrt'].map(code));
const literals = ['true', 'false', 'null'].map((word) => [...word].map(code));

class JsonReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  #depth = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Reads past a value. */
  value(listener: Listener = {}): void {
    const byte = this.#next();
    if (byte === quote) this.#string();
    else if (byte === openBrace) this.#object(listener);
    else if (byte === openBracket) this.#array(listener);
    else if (byte === minus || isDigit(byte)) this.#number();
    else this.#literal();
  }

  /** Reads a value and builds it. */
  parsed(): unknown {
    this.#next();
    const from = this.#at;
    this.value();
    return JSON.parse(this.#text(from, this.#at));
  }

  isAtArray(): boolean {
    return this.#next() === openBracket;
  }

  end(): void {
    if (this.#next() !== undefined) throw new NotJson();
  }

  /** Compares the names of members, written with escapes or without. */
  nameIs(name: string): (from: number, to: number) => boolean {
    const wanted = Buffer.from(name);
    return (from, to) => {
      const bytes = this.#bytes;
      const length = to - from;
      if (length < wanted.length) return false;
      for (let index = 0; index < length; index++) {
        const byte = bytes[from + index];
        if (byte === backslash) return JSON.parse(this.#text(from - 1, to + 1)) === name;
        if (byte !== wanted[index]) return false;
      }
      return true;
    };
  }

  #text(from: number, to: number): string {
    return Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + from, to - from).toString();
  }

  /** The next byte that is not white space; the reader stands on it. */
  #next(): number | undefined {
    const bytes = this.#bytes;
    for (; ; this.#at++) {
      const byte = bytes[this.#at];
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return byte;
    }
  }

  #object({ member }: Listener): void {
    this.#enter();
    let more = this.#next() !== closeBrace;
    while (more) {
      if (this.#next() !== quote) throw new NotJson();
      const from = this.#at + 1;
      this.#string();
      const to = this.#at - 1;
      if (this.#next() !== colon) throw new NotJson();
      this.#at++;
      if (member) member(from, to);
      else this.value();
      more = this.#goesOn(closeBrace);
    }
    this.#leave();
  }

  #array({ element }: Listener): void {
    this.#enter();
    let more = this.#next() !== closeBracket;
    while (more) {
      if (element) element();
      else this.value();
      more = this.#goesOn(closeBracket);
    }
    this.#leave();
  }

  #enter(): void {
    if (++this.#depth > deepest) throw new NotJson();
    this.#at++;
  }

  #leave(): void {
    this.#depth--;
    this.#at++;
  }

  /** Past a comma; false when the list is at its end. */
  #goesOn(end: number): boolean {
    const byte = this.#next();
    if (byte === end) return false;
    if (byte !== comma) throw new NotJson();
    this.#at++;
    return true;
  }

  #string(): void {
    const bytes = this.#bytes;
    for (let at = this.#at + 1; ; at++) {
      const byte = bytes[at];
      if (byte === quote) {
        this.#at = at + 1;
        return;
      }
      if (byte === undefined || byte < 0x20) throw new NotJson();
      if (byte !== backslash) continue;
      at++;
      const escaped = bytes[at] ?? 0;
      if (escapes.has(escaped)) continue;
      if (escaped !== code('u')) throw new NotJson();
      for (const end = at + 4; at < end; at++) if (!isHexDigit(bytes[at + 1] ?? 0)) throw new NotJson();
    }
  }

  #number(): void {
    const bytes = this.#bytes;
    if (bytes[this.#at] === minus) this.#at++;
    if (bytes[this.#at] === zero) this.#at++;
    else this.#digits();
    if (bytes[this.#at] === point) {
      this.#at++;
      this.#digits();
    }
    // A small letter is its capital with this bit set.
    if (((bytes[this.#at] ?? 0) | 0x20) !== code('e')) return;
    this.#at++;
    const sign = bytes[this.#at];
    if (sign === plus || sign === minus) this.#at++;
    this.#digits();
  }

  #digits(): void {
    const from = this.#at;
    while (isDigit(this.#bytes[this.#at])) this.#at++;
    if (this.#at === from) throw new NotJson();
  }

  #literal(): void {
    const word = literals.find((letters) => letters.every((letter, index) => this.#bytes[this.#at + index] === letter));
    if (!word) throw new NotJson();
    this.#at += word.length;
  }
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= zero && byte <= nine;
}

function isHexDigit(byte: number): boolean {
  const small = byte | 0x20;
  return isDigit(byte) || (small >= code('a') && small <= code('f'));
}
