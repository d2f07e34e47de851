import * as z from 'zod/mini';
import { tidy } from './show-value.ts';

/** Why a name cannot stand in a certificate, and what to write instead. */
export interface NameFault {
  readonly message: string;
  readonly remedy: string;
}

const fault = (message: string, remedy: string): NameFault => ({ message, remedy });

const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i;
const MAXIMUM_DNS_NAME_CHARACTERS = 253;

/** RFC 5280 §4.2.1.6: "preferred name syntax" (RFC 1123 §2.1), so no underscores; a wildcard as RFC 6125 §6.4.3 has it. */
export function dnsNameFault(name: string): NameFault | undefined {
  if (z.ipv4().safeParse(name).success || z.ipv6().safeParse(name).success) {
    return fault('is an IP address, not a DNS name.', 'Move it to `ipAddresses`.');
  }
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(name)) {
    return fault('is a URL, not a DNS name.', 'Write the host alone, or move it to `uris`.');
  }
  // oxlint-disable-next-line no-control-regex -- ASCII is what is asked for, controls are caught as labels
  if (!/^[\u0000-\u007f]*$/.test(name)) return fault('holds letters outside ASCII.', asciiRemedy(name));
  if (name.endsWith('.'))
    return fault('ends with a dot.', 'Leave the last dot out: certificates name hosts without the root.');
  if (name.length > MAXIMUM_DNS_NAME_CHARACTERS) {
    return fault('is longer than DNS allows.', `Use at most ${MAXIMUM_DNS_NAME_CHARACTERS} characters.`);
  }
  const host = name.startsWith('*.') ? name.slice(2) : name;
  if (host.includes('*')) {
    return fault(
      'has a wildcard in a place where clients do not match it.',
      'Use `*` as the whole left-most label only, as in `*.internal.example`.',
    );
  }
  if (host.includes('_')) {
    return fault('has an underscore, which host names do not allow.', 'Use a hyphen, and rename the host to match.');
  }
  const wrong = host.split('.').find((label) => !LABEL.test(label));
  if (wrong === undefined) return undefined;
  // Tidied before it is cut: the first half of a key does not look like one.
  const shown = tidy(wrong).slice(0, 63);
  return fault(
    wrong === '' ? 'has an empty label.' : `is not a DNS name: the label \`${shown}\` cannot be in one.`,
    'Write letters, digits and inner hyphens, at most 63 in each part between dots.',
  );
}

/** The A-label (RFC 5890 §2.3.2.1) that somebody would have to look up. */
function asciiRemedy(name: string): string {
  const wildcard = name.startsWith('*.') ? '*.' : '';
  const url = `https://${name.slice(wildcard.length)}`;
  const encoded = URL.canParse(url) ? new URL(url).hostname : '';
  return encoded.startsWith('xn--') || encoded.includes('.xn--')
    ? `Write it in its ASCII form: \`${wildcard}${encoded}\`.`
    : 'Write it in its ASCII form (`xn--…`).';
}

export function ipAddressFault(address: string): NameFault | undefined {
  if (z.ipv4().safeParse(address).success || z.ipv6().safeParse(address).success) return undefined;
  if (address.includes('/'))
    return fault('is a range; a certificate names single addresses.', 'Write the address alone.');
  return fault('is not an IP address.', 'Write it as in `10.0.12.7` or `2001:db8::7`; host names go to `dnsNames`.');
}

/** RFC 5280 §4.2.1.6: absolute, in ASCII. */
export function uriFault(uri: string): NameFault | undefined {
  if (!/^[\x21-\x7e]+$/.test(uri)) {
    return fault('holds characters that a URI cannot.', 'Percent-encode spaces and letters outside ASCII.');
  }
  if (URL.canParse(uri) && /^[a-z][a-z0-9+.-]*:./i.test(uri)) return undefined;
  return fault(
    'is not an absolute URI.',
    'Write scheme and authority, as in `spiffe://example.internal/ns/payments/sa/orders`.',
  );
}

const MAILBOX = /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*@([^@]+)$/i;

/** A bare mailbox (RFC 5280 §4.2.1.6: no display name, no angle brackets). */
export function emailAddressFault(address: string): NameFault | undefined {
  const domain = MAILBOX.exec(address)?.[1];
  if (domain !== undefined && !domain.startsWith('*') && dnsNameFault(domain) === undefined) return undefined;
  return fault('is not a bare e-mail address.', 'Write `name@domain` alone, without display name or brackets.');
}
