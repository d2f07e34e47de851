import type { Answer } from 'dns-packet';
import { normalize, plain } from '../services/route53/names.ts';
import type { ResourceRecord } from '../services/route53/resolve.ts';
import { characterStrings } from '../services/route53/txt.ts';

/** A record of Route 53 as `dns-packet` wants it. */
export function toAnswer({ name: owner, type, ttl, value }: ResourceRecord): Answer {
  const of = { name: plain(owner), ttl };
  switch (type) {
    case 'A':
    case 'AAAA':
      return { ...of, type, data: value };
    case 'CNAME':
    case 'NS':
      return { ...of, type, data: plain(normalize(value)) };
    case 'TXT':
      return { ...of, type, data: characterStrings(value) ?? [] };
    case 'CAA': {
      const [, flags, tag, text = ''] = /^(\d+) (issue|issuewild|iodef) "(.*)"$/.exec(value) ?? [];
      return { ...of, type, data: { flags: Number(flags), tag: tag as 'issue', value: text } };
    }
    case 'SOA': {
      const [mname = '', rname = '', ...numbers] = value.split(' ');
      const [serial, refresh, retry, expire, minimum] = numbers.map(Number);
      return { ...of, type, data: { mname, rname, serial, refresh, retry, expire, minimum } };
    }
    default:
      throw new Error(`the twin's DNS server does not know how ${type} looks on the wire`);
  }
}
