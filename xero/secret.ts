import { inspect } from 'node:util';

/**
 * A token that is on its way from the database to a request header. It prints, logs and serialises as `[redacted]`, so
 * that no log line, error or Temporal payload can carry it by accident; `reveal()` is the one way to its text.
 */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return '[redacted]';
  }

  toJSON(): string {
    return '[redacted]';
  }

  [inspect.custom](): string {
    return '[redacted]';
  }
}

/** Takes secrets out of a text that others wrote: a server may echo the request it complains about. */
export function scrub(text: string, ...secrets: Secret[]): string {
  return secrets.reduce((clean, secret) => {
    const value = secret.reveal();
    return value === '' ? clean : clean.replaceAll(value, '[redacted]');
  }, text);
}
