import { canonicalIpAddress } from '../../functions/core/ip-address.ts';
import { describe, expect, it } from 'vitest';
import { dnsNameFault, emailAddressFault, ipAddressFault, uriFault } from '../../functions/core/manifest/names.ts';

const label63 = 'a'.repeat(63);

describe('DNS names', () => {
  it.each([
    'orders',
    'orders.internal.example',
    '*.internal.example',
    'xn--bcher-kva.example',
    '1.example',
    `${label63}.example`,
    'A.Example',
  ])('take %s', (name) => {
    expect(dnsNameFault(name)).toBeUndefined();
  });

  it.each([
    ['', 'has an empty label.'],
    ['a..b', 'has an empty label.'],
    ['orders.example.', 'ends with a dot.'],
    ['a_b.example', 'has an underscore, which host names do not allow.'],
    ['*', 'has a wildcard in a place where clients do not match it.'],
    ['a.*.example', 'has a wildcard in a place where clients do not match it.'],
    ['*.*.example', 'has a wildcard in a place where clients do not match it.'],
    ['w*.example', 'has a wildcard in a place where clients do not match it.'],
    ['-a.example', 'is not a DNS name: the label `-a` cannot be in one.'],
    ['a b.example', 'is not a DNS name: the label `a b` cannot be in one.'],
    // As long as a line of a key: every message leaves such out.
    [`${label63}a.example`, 'is not a DNS name: the label `(not shown)` cannot be in one.'],
    [
      `${'a-'.repeat(40)}.example`,
      `is not a DNS name: the label \`${'a-'.repeat(40).slice(0, 63)}\` cannot be in one.`,
    ],
    [`${`${label63}.`.repeat(4)}example`, 'is longer than DNS allows.'],
    ['10.0.0.1', 'is an IP address, not a DNS name.'],
    ['::1', 'is an IP address, not a DNS name.'],
    ['https://orders.example', 'is a URL, not a DNS name.'],
    ['bücher.example', 'holds letters outside ASCII.'],
  ])('refuse "%s"', (name, message) => {
    expect(dnsNameFault(name)?.message).toBe(message);
  });

  it('say how a name outside ASCII is written', () => {
    expect(dnsNameFault('*.bücher.example')?.remedy).toBe('Write it in its ASCII form: `*.xn--bcher-kva.example`.');
  });
});

describe('IP addresses', () => {
  it.each(['10.0.12.7', '::', '2001:db8::7', '::ffff:10.0.0.1'])('take %s', (address) => {
    expect(ipAddressFault(address)).toBeUndefined();
  });

  it.each(['10.0.12', '010.0.0.1', '10.0.0.256', '10.0.0.0/8', 'fe80::1%eth0', '[::1]', 'orders', ''])(
    'refuse "%s"',
    (address) => {
      expect(ipAddressFault(address)).toBeDefined();
    },
  );

  it('have one spelling', () => {
    expect(canonicalIpAddress('2001:DB8:0:0::0007')).toBe('2001:db8::7');
    expect(canonicalIpAddress('10.0.12.7')).toBe('10.0.12.7');
  });
});

describe('URIs', () => {
  it.each([
    'spiffe://example.internal/ns/a/sa/b',
    'https://a.example/x?y=z',
    'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6',
  ])('take %s', (uri) => {
    expect(uriFault(uri)).toBeUndefined();
  });

  it.each(['', '/ns/a', 'orders', 'spiffe:', 'spiffe://a b', 'https://bücher.example/', 'http://'])(
    'refuse "%s"',
    (uri) => {
      expect(uriFault(uri)).toBeDefined();
    },
  );
});

describe('e-mail addresses', () => {
  it.each(['a@example.org', 'first.last+tag@mail.example.org'])('take %s', (address) => {
    expect(emailAddressFault(address)).toBeUndefined();
  });

  it.each([
    '',
    'a',
    '@example.org',
    'a@',
    'a@@example.org',
    'A <a@example.org>',
    'a b@example.org',
    'a@*.example.org',
    'a.@example.org',
  ])('refuse "%s"', (address) => {
    expect(emailAddressFault(address)).toBeDefined();
  });
});
