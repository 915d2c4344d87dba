import { createHmac } from 'node:crypto';
import type { WebPlace } from './place.ts';
import { hashOf, isSame, newSecret } from './secrets.ts';

/** What the browser keeps; on https bound to this very host. */
export function knownCookieName(origin: string): string {
  return origin.startsWith('https:') ? '__Host-daybook_known' : 'daybook_known';
}

/**
 * Browsers in which the password was right once: what others guess does not lock them out. Addresses would not tell who is who, as
 * everybody comes by a proxy or a tunnel. Nothing is stored: what a browser shows is signed with the sealing keys, for this password.
 * https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies
 */
export function knownBrowsers({ tokenKeys, password }: Pick<WebPlace, 'tokenKeys' | 'password'>) {
  const key = hashOf(`known browsers ${tokenKeys}`);
  const sign = (id: string) =>
    createHmac('sha256', key)
      .update(`${id} ${password ?? ''}`)
      .digest('base64url');
  return {
    /** What a browser gets that has given the password. */
    introduce(): string {
      const id = newSecret();
      return `${id}.${sign(id)}`;
    },
    /** Which browser shows it; null when none was given that. */
    recognise(shown: string | undefined): string | null {
      const [id = '', signature = ''] = shown?.split('.') ?? [];
      return isSame(signature, sign(id)) ? id : null;
    },
  };
}
