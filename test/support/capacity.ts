import { isDeepStrictEqual } from 'node:util';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { FLEET_INDEX, STANDING } from '../../functions/inventories/fleet-index.ts';
import type { Middleware, WireCall } from '../../local/wire/call.ts';

type Item = Readonly<Record<string, AttributeValue>>;

/** Request units of DynamoDB, on demand. */
export interface Capacity {
  readUnits: number;
  writeUnits: number;
}

const READ_UNIT_BYTES = 4_096;
const WRITE_UNIT_BYTES = 1_024;

/**
 * What DynamoDB bills for the calls that pass: by the rules of
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html and, for indexes,
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html, on the items that the twin's table is sent and sends.
 */
export class CapacityMeter {
  /** By caller: a function's logical id. */
  readonly consumed = new Map<string, Capacity>();
  readonly #items = new Map<string, Item>();

  readonly middleware: Middleware = async (call, next) => {
    const answer = await next();
    if (call.service !== 'dynamodb' || answer.status !== 200) return answer;
    const consumed = this.consumed.get(call.principal) ?? { readUnits: 0, writeUnits: 0 };
    this.consumed.set(call.principal, consumed);
    this.#count(call, JSON.parse(answer.body.toString()) as { Item?: Item; Items?: readonly Item[] }, consumed);
    return answer;
  };

  /** Bytes of the largest certificate's record, and of its entry in the index that surveys read. */
  get largest(): { readonly recordBytes: number; readonly standingBytes: number } {
    const records = [...this.#items.values()].filter((item) => item['pk']?.S?.startsWith('certificate#'));
    return {
      recordBytes: Math.max(...records.map(itemBytes)),
      standingBytes: Math.max(...records.map((item) => itemBytes(inFleetIndex(item)))),
    };
  }

  #count({ operation, input }: WireCall, { Item: read, Items = [] }: AnswerItems, consumed: Capacity): void {
    switch (operation) {
      case 'GetItem':
        consumed.readUnits += readUnits(read === undefined ? 0 : itemBytes(read), input['ConsistentRead'] === true);
        return;
      case 'Query': {
        if (input['IndexName'] === FLEET_INDEX && Items.some((item) => item[STANDING] === undefined))
          throw new Error('the survey reads something else than it did when this was written');
        consumed.readUnits += readUnits(
          Items.reduce((sum, item) => sum + itemBytes(item), 0),
          false,
        );
        return;
      }
      case 'PutItem':
        consumed.writeUnits += this.#written(input['Item'] as Item);
        return;
      case 'UpdateItem':
        // Budgets: a number or two, in no index.
        consumed.writeUnits += 1;
        return;
      default:
        throw new Error(`nobody has said what ${operation} costs`);
    }
  }

  #written(item: Item): number {
    const key = item['pk']?.S ?? '';
    const before = this.#items.get(key);
    this.#items.set(key, item);
    const table = writeUnits(Math.max(itemBytes(item), before === undefined ? 0 : itemBytes(before)));
    return (
      table +
      indexWrites(before && inDueIndex(before), inDueIndex(item), 'dueAt') +
      indexWrites(before && inFleetIndex(before), inFleetIndex(item), 'expiresAt')
    );
  }
}

interface AnswerItems {
  readonly Item?: Item;
  readonly Items?: readonly Item[];
}

const picked = (item: Item, names: readonly string[]): Item =>
  Object.fromEntries(names.flatMap((name) => (item[name] === undefined ? [] : [[name, item[name]]])));

const inDueIndex = (item: Item): Item => picked(item, ['pk', 'dueShard', 'dueAt']);
const inFleetIndex = (item: Item): Item => picked(item, ['pk', 'dueShard', 'expiresAt', STANDING]);

/** An entry that moves is deleted and written; one that changes where it is, is written; another one costs nothing. */
function indexWrites(before: Item | undefined, after: Item, sortKey: string): number {
  const was = before?.[sortKey] === undefined ? undefined : before;
  const is = after[sortKey] === undefined ? undefined : after;
  if (isDeepStrictEqual(was, is)) return 0;
  const units = (entry: Item | undefined): number => (entry === undefined ? 0 : writeUnits(itemBytes(entry)));
  const moves =
    !isDeepStrictEqual(was?.[sortKey], is?.[sortKey]) || !isDeepStrictEqual(was?.['dueShard'], is?.['dueShard']);
  return moves ? units(was) + units(is) : Math.max(units(was), units(is));
}

const writeUnits = (bytes: number): number => Math.ceil(bytes / WRITE_UNIT_BYTES);
const readUnits = (bytes: number, consistent: boolean): number =>
  Math.max(1, Math.ceil(bytes / READ_UNIT_BYTES)) * (consistent ? 1 : 0.5);

const itemBytes = (item: Item): number =>
  Object.entries(item).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + valueBytes(value), 0);

/** Item sizes: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html */
function valueBytes(value: AttributeValue): number {
  if (value.S !== undefined) return Buffer.byteLength(value.S);
  if (value.N !== undefined) return Math.ceil(value.N.length / 2) + 1;
  if (value.BOOL !== undefined || value.NULL !== undefined) return 1;
  if (value.L !== undefined) return 3 + value.L.reduce((sum, each) => sum + 1 + valueBytes(each), 0);
  if (value.M !== undefined) return 3 + Object.keys(value.M).length + itemBytes(value.M);
  throw new Error(`an attribute of a kind that records do not have: ${Object.keys(value).join(', ')}`);
}
