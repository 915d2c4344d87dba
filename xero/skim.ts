import {
  backslash,
  closeBrace,
  closeBracket,
  colon,
  comma,
  NotJson,
  openBrace,
  openBracket,
  pastSpace,
  pastString,
  pastValue,
  quote,
} from './json-bytes.ts';

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
  /** What the answer says of itself, "OK" as a rule; undefined where it says nothing. */
  status: unknown;
}

/**
 * The rows of the array `name` of an answer, of each what it has under `key`, if one is given. Null when the answer is an object without such an
 * array, or no object. Throws `NotJson` when the bytes are not one complete JSON text.
 */
export function skimPage(bytes: Buffer, name: string, key?: string): SkimmedPage | null {
  return new Skimmer(bytes, name, key).page();
}

/** One reading of one answer. As with JSON.parse the last member counts, should a name come twice. */
class Skimmer {
  readonly #bytes: Buffer;
  readonly #array: Name;
  readonly #key: Name | null;
  #at = 0;
  /** Where the name of the member lies that is being read. */
  #nameFrom = 0;
  #nameTo = 0;
  #rows: unknown[] | null = null;
  #pagination: unknown;
  #status: unknown;

  constructor(bytes: Buffer, array: string, key: string | undefined) {
    this.#bytes = bytes;
    this.#array = nameOf(array);
    this.#key = key === undefined ? null : nameOf(key);
  }

  page(): SkimmedPage | null {
    if (this.#isAt(openBrace)) this.#readAnswer();
    else this.#skip();
    if (pastSpace(this.#bytes, this.#at) < this.#bytes.length) throw new NotJson();
    return this.#rows === null ? null : { rows: this.#rows, pagination: this.#pagination, status: this.#status };
  }

  #readAnswer(): void {
    for (let more = this.#enter(closeBrace); more; more = this.#goOn(closeBrace)) {
      this.#readName();
      if (this.#isNamed(paginationName)) this.#pagination = this.#parse();
      else if (this.#isNamed(statusName)) this.#status = this.#parse();
      else if (this.#isNamed(this.#array)) this.#readRows();
      else this.#skip();
    }
  }

  #readRows(): void {
    const rows: unknown[] | null = this.#isAt(openBracket) ? [] : null;
    this.#rows = rows;
    if (rows === null) this.#skip();
    else for (let more = this.#enter(closeBracket); more; more = this.#goOn(closeBracket)) rows.push(this.#readRow());
  }

  #readRow(): unknown {
    let found: unknown;
    if (!this.#isAt(openBrace)) this.#skip();
    else {
      for (let more = this.#enter(closeBrace); more; more = this.#goOn(closeBrace)) {
        this.#readName();
        if (this.#key !== null && this.#isNamed(this.#key)) found = this.#parse();
        else this.#skip();
      }
    }
    return found;
  }

  #isAt(byte: number): boolean {
    this.#at = pastSpace(this.#bytes, this.#at);
    return this.#bytes[this.#at] === byte;
  }

  /** Into the list that the reader stands at; false, and past it, when it is empty. */
  #enter(end: number): boolean {
    this.#at++;
    if (!this.#isAt(end)) return true;
    this.#at++;
    return false;
  }

  /** Past a comma; false, and past the list, at its end. */
  #goOn(end: number): boolean {
    if (!this.#isAt(end) && !this.#isAt(comma)) throw new NotJson();
    return this.#bytes[this.#at++] === comma;
  }

  #readName(): void {
    if (!this.#isAt(quote)) throw new NotJson();
    this.#nameFrom = this.#at + 1;
    this.#at = pastString(this.#bytes, this.#at);
    this.#nameTo = this.#at - 1;
    if (!this.#isAt(colon)) throw new NotJson();
    this.#at++;
  }

  /** Names are compared as they are meant, whether they are written with escapes or without. */
  #isNamed({ text, letters }: Name): boolean {
    const from = this.#nameFrom;
    const length = this.#nameTo - from;
    if (length < letters.length) return false;
    for (let index = 0; index < length; index++) {
      const byte = this.#bytes[from + index];
      if (byte === backslash) return JSON.parse(this.#bytes.toString('utf8', from - 1, this.#nameTo + 1)) === text;
      if (byte !== letters[index]) return false;
    }
    return true;
  }

  #skip(): void {
    this.#at = pastValue(this.#bytes, this.#at);
  }

  #parse(): unknown {
    const from = this.#at;
    this.#skip();
    return JSON.parse(this.#bytes.toString('utf8', from, this.#at));
  }
}

interface Name {
  text: string;
  letters: Buffer;
}

function nameOf(text: string): Name {
  return { text, letters: Buffer.from(text) };
}

const paginationName = nameOf('pagination');
const statusName = nameOf('Status');
