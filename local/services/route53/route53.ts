import type { VirtualClock } from '../../clock.ts';
import { AwsError, type JsonService, type ServiceCall, unknownOperation } from '../../wire/service.ts';
import { readInput } from '../input.ts';
import {
  CreateHostedZone,
  ListHostedZones,
  ListHostedZonesByName,
  ListResourceRecordSets,
  OfChange,
  OfZone,
  readBatch,
} from './input.ts';
import {
  compare,
  DelegationSet,
  describeChange,
  describeSet,
  describeZone,
  inOrder,
  orderOf,
  pageOf,
} from './describe.ts';
import { normalize, sortKey } from './names.ts';
import { type Resolution, resolve, zoneOf } from './resolve.ts';
import type { Edit, RecordSet } from './rules.ts';
import { type Change, makeId, Zone, type ZoneSettings } from './zone.ts';

const LARGEST_PAGE = 100;
const LARGEST_RECORD_PAGE = 300;
/** What every zone has to have, at its apex. */
const OWN_RECORDS = 2;

/** Hosted zones; `Route53.answers` is what their name servers say. */
export class Route53 implements JsonService {
  readonly signingName = 'route53';
  readonly #clock: Pick<VirtualClock, 'now'>;
  readonly #zones = new Map<string, Zone>();
  readonly #changes = new Map<string, { readonly zone: Zone; readonly change: Change }>();

  /** How many GetChange calls say PENDING of a change before one says INSYNC; 0: it is in sync at once. */
  propagationLooks = 1;
  /** After so long by the virtual clock a change is in sync, whether anybody looks or not. */
  propagationMs = 60_000;
  /** While set, says of a call whether it is throttled. */
  throttle: ((operation: string) => boolean) | undefined;
  /** While set, says of a change to a zone whether an earlier one is still being accepted. */
  priorRequests: ((zoneId: string) => boolean) | undefined;

  constructor(clock: Pick<VirtualClock, 'now'>) {
    this.#clock = clock;
  }

  zones(): readonly Zone[] {
    return [...this.#zones.values()];
  }

  /** Served at once; its id, which a manifest may have settled. */
  addZone(name: string, { id = makeId('Z'), isPrivate = false } = {}): string {
    const { zone } = this.#open({ id, name: normalize(name), isPrivate, callerReference: makeId('R') });
    zone.sync(() => true);
    return zone.id;
  }

  /** In whichever zone it belongs, over whatever stands there; served at once, as is all that was pending in that zone. */
  addCname(name: string, target: string): void {
    const set = {
      name: normalize(name),
      type: 'CNAME',
      ttl: 60,
      values: [normalize(target)],
      setIdentifier: undefined,
    };
    const zone = zoneOf(this.zones(), set.name);
    if (zone === undefined) throw new Error(`the twin has no zone for ${name}`);
    zone.submit([{ action: 'UPSERT', set }], this.#clock.now());
    zone.sync(() => true);
  }

  /** As the API lists them: all that was accepted, in sync or not. */
  records(zoneIdOrName: string): readonly RecordSet[] {
    const byName = this.zones().find(({ name }) => name === normalize(zoneIdOrName));
    return inOrder(this.#zones.get(zoneIdOrName) ?? byName ?? noSuchZone(zoneIdOrName));
  }

  /** Undefined for a name that is in no public zone that is served. */
  answers(name: string, type: string): Resolution | undefined {
    for (const zone of this.#zones.values()) this.#settle(zone);
    return resolve(
      this.zones().filter(({ isPrivate, served }) => !isPrivate && served.size > 0),
      name,
      type,
    );
  }

  handle(call: ServiceCall): unknown {
    const operation = this.#operations[call.operation];
    if (operation === undefined) throw unknownOperation('Route 53', call.operation);
    if (this.throttle?.(call.operation) === true) throw new AwsError('Throttling', 'Rate exceeded');
    return { [`${call.operation}Response`]: operation(call) };
  }

  readonly #operations: Readonly<Record<string, (call: ServiceCall) => unknown>> = {
    CreateHostedZone: (call) => {
      const { Name, CallerReference, VPC } = readInput(CreateHostedZone, call);
      call.authorize('route53:CreateHostedZone', '*');
      if (this.zones().some(({ callerReference }) => callerReference === CallerReference)) {
        throw new AwsError(
          'HostedZoneAlreadyExists',
          `A zone with the reference ${CallerReference} was created before.`,
          409,
        );
      }
      const { zone, change } = this.#open({
        id: makeId('Z'),
        name: normalize(Name),
        isPrivate: VPC !== undefined,
        callerReference: CallerReference,
      });
      return { HostedZone: describeZone(zone), ChangeInfo: describeChange(change), DelegationSet };
    },
    GetHostedZone: (call) => ({
      HostedZone: describeZone(this.#authorized(call, readInput(OfZone, call).Id)),
      DelegationSet,
    }),
    DeleteHostedZone: (call) => {
      const zone = this.#authorized(call, readInput(OfZone, call).Id);
      if (zone.records.size > OWN_RECORDS) {
        throw new AwsError(
          'HostedZoneNotEmpty',
          'The specified hosted zone contains non-required resource record sets and so cannot be deleted.',
        );
      }
      this.#zones.delete(zone.id);
      return { ChangeInfo: describeChange(this.#submit(zone, [])) };
    },
    ListHostedZones: (call) => {
      const { Marker, MaxItems } = readInput(ListHostedZones, call);
      call.authorize('route53:ListHostedZones', '*');
      const zones = this.zones();
      const from = Marker === undefined ? 0 : zones.findIndex(({ id }) => id === Marker);
      if (from === -1) throw new AwsError('InvalidInput', `The specified marker is not valid: ${Marker}`);
      const { page, next, ...size } = pageOf(zones, from, MaxItems, LARGEST_PAGE);
      return { HostedZones: { HostedZone: page.map(describeZone) }, Marker, NextMarker: next?.id, ...size };
    },
    ListHostedZonesByName: (call) => {
      const { DNSName, HostedZoneId, MaxItems } = readInput(ListHostedZonesByName, call);
      call.authorize('route53:ListHostedZonesByName', '*');
      const keyOf = ({ name, id }: Pick<Zone, 'name' | 'id'>): string => `${sortKey(name)} ${id}`;
      const zones = this.zones().toSorted((a, b) => compare(keyOf(a), keyOf(b)));
      const first = DNSName === undefined ? '' : keyOf({ name: normalize(DNSName), id: HostedZoneId ?? '' });
      const from = zones.filter((zone) => keyOf(zone) < first).length;
      const { page, next, ...size } = pageOf(zones, from, MaxItems, LARGEST_PAGE);
      const following = { NextDNSName: next?.name, NextHostedZoneId: next?.id };
      return { HostedZones: { HostedZone: page.map(describeZone) }, DNSName, HostedZoneId, ...following, ...size };
    },
    ListResourceRecordSets: (call) => {
      const { HostedZoneId, MaxItems, ...start } = readInput(ListResourceRecordSets, call);
      const sets = inOrder(this.#authorized(call, HostedZoneId));
      const { StartRecordName: name, StartRecordType: type = '', StartRecordIdentifier: setIdentifier = '' } = start;
      const first = name === undefined ? '' : orderOf({ name: normalize(name), type, setIdentifier });
      const from = sets.filter((set) => orderOf(set) < first).length;
      const { page, next, ...size } = pageOf(sets, from, MaxItems, LARGEST_RECORD_PAGE);
      const following = {
        NextRecordName: next?.name,
        NextRecordType: next?.type,
        NextRecordIdentifier: next?.setIdentifier,
      };
      return { ResourceRecordSets: { ResourceRecordSet: page.map(describeSet) }, ...following, ...size };
    },
    ChangeResourceRecordSets: (call) => {
      const { zoneId, edits } = readBatch(call);
      const each = (of: (edit: Edit) => string): string[] => [...new Set(edits.map(of))];
      const zone = this.#authorized(call, zoneId, {
        'route53:ChangeResourceRecordSetsNormalizedRecordNames': each(({ set }) => set.name.slice(0, -1)),
        'route53:ChangeResourceRecordSetsRecordTypes': each(({ set }) => set.type),
        'route53:ChangeResourceRecordSetsActions': each(({ action }) => action),
      });
      if (this.priorRequests?.(zoneId) === true) {
        throw new AwsError(
          'PriorRequestNotComplete',
          'The request was rejected because Route 53 was still processing a prior request.',
        );
      }
      return { ChangeInfo: describeChange(this.#submit(zone, edits)) };
    },
    GetChange: (call) => {
      const { Id } = readInput(OfChange, call);
      call.authorize('route53:GetChange', `arn:aws:route53:::change/${Id}`);
      const found = this.#changes.get(Id);
      if (found === undefined) throw new AwsError('NoSuchChange', `Could not find resource with ID: ${Id}`, 404);
      const { zone, change } = found;
      this.#settle(zone);
      if (change.looks >= this.propagationLooks) zone.sync((each) => each === change);
      change.looks += 1;
      return { ChangeInfo: describeChange(change) };
    },
  };

  #open(settings: ZoneSettings): { zone: Zone; change: Change } {
    const zone = new Zone(settings);
    this.#zones.set(zone.id, zone);
    return { zone, change: this.#keep(zone, zone.open(this.#clock.now())) };
  }

  #submit(zone: Zone, edits: readonly Edit[]): Change {
    return this.#keep(zone, zone.submit(edits, this.#clock.now()));
  }

  #keep(zone: Zone, change: Change): Change {
    this.#changes.set(change.id, { zone, change });
    if (this.propagationLooks === 0) zone.sync(() => true);
    return change;
  }

  #settle(zone: Zone): void {
    const due = this.#clock.now() - this.propagationMs;
    zone.sync(({ submittedAt }) => submittedAt <= due);
  }

  #authorized(call: ServiceCall, id: string, context: Readonly<Record<string, readonly string[]>> = {}): Zone {
    call.authorize(`route53:${call.operation}`, `arn:aws:route53:::hostedzone/${id}`, context);
    return this.#zones.get(id) ?? noSuchZone(id);
  }
}

function noSuchZone(id: string): never {
  throw new AwsError('NoSuchHostedZone', `No hosted zone found with ID: ${id}`, 404);
}
