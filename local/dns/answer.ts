import { AUTHORITATIVE_ANSWER, type Answer, type DecodedPacket, type Packet, RECURSION_DESIRED } from 'dns-packet';
import type { Resolution } from '../services/route53/resolve.ts';
import { toAnswer } from './records.ts';

/** RFC 1035, 4.1.1. */
const NO_ERROR = 0;
const SERVER_FAILURE = 2;
const NAME_ERROR = 3;
const NOT_IMPLEMENTED = 4;
const REFUSED = 5;
const OPCODE_BITS = 0b1111 << 11;
/** What one Ethernet frame takes: large enough, and never fragmented. */
const EDNS_PAYLOAD_SIZE = 1_232;

/** Undefined: the name is in no zone of this server. */
export type Resolve = (name: string, type: string) => Resolution | 'failure' | undefined;

/** What an authoritative server answers; undefined for what is no query. */
export function answerTo(query: DecodedPacket, resolve: Resolve): Packet | undefined {
  const [question] = query.questions ?? [];
  if (query.flag_qr || question === undefined) return undefined;
  const flags = query.flags ?? 0;
  const respond = (code: number, sections: Pick<Packet, 'answers' | 'authorities'> = {}): Packet => ({
    type: 'response',
    id: query.id,
    flags: (flags & RECURSION_DESIRED) | (code === REFUSED ? 0 : AUTHORITATIVE_ANSWER) | code,
    questions: [question],
    additionals: edns(query) === undefined ? [] : [OPT],
    ...sections,
  });
  if ((flags & OPCODE_BITS) !== 0) return respond(NOT_IMPLEMENTED);
  const found = (question.class ?? 'IN') === 'IN' ? resolve(question.name, question.type) : undefined;
  if (found === undefined) return respond(REFUSED);
  if (found === 'failure') return respond(SERVER_FAILURE);
  const { records, exists, soa } = found;
  const isNegative = !records.some(({ type }) => type === question.type);
  return respond(exists ? NO_ERROR : NAME_ERROR, {
    answers: records.map(toAnswer),
    // Tells how long "there is none" may be kept (RFC 2308).
    authorities: isNegative && soa !== undefined ? [toAnswer(soa)] : [],
  });
}

/** The longest message that whoever asked takes over UDP. */
export function payloadSizeOf(query: DecodedPacket): number {
  return Math.max(512, edns(query)?.udpPayloadSize ?? 0);
}

function edns(query: DecodedPacket): Extract<Answer, { type: 'OPT' }> | undefined {
  return query.additionals?.find((each) => each.type === 'OPT');
}

const OPT: Answer = {
  type: 'OPT',
  name: '.',
  udpPayloadSize: EDNS_PAYLOAD_SIZE,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: [],
};
