import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Finished } from '../../test/e2e/host/programs.ts';
import { Certbot } from '../../test/peers/clients/certbot.ts';
import type { Client, ClientOptions } from '../../test/peers/clients/client.ts';
import { Lego } from '../../test/peers/clients/lego.ts';
import { Peers } from '../../test/peers/peers.ts';
import type { ProcessOptions } from '../../test/peers/processes.ts';

export interface Cost {
  /** Wall. */
  readonly seconds: number;
  readonly cpuMs: number;
  readonly peakMiB: number;
}

/** Runs every command under a stop-watch that counts its children as well. */
class MeasuredPeers extends Peers {
  last: Cost | undefined;

  override async run(program: string, parameters: readonly string[], options: ProcessOptions = {}): Promise<Finished> {
    const file = join(this.newFolder('cost'), 'cost.json');
    const watch = [join(import.meta.dirname, 'measure.py'), file, program, ...parameters];
    const finished = await super.run(this.programs.certbotPython, watch, options);
    this.last = JSON.parse(readFileSync(file, 'utf8')) as Cost;
    return finished;
  }
}

/** A client with an account of its own, in processes of its own. */
export interface Measured {
  readonly name: string;
  /** The first certificate of a new account. */
  cold(): Promise<Cost>;
  /** One certificate for `name` on an account that is there, `count` times. What each took, on average. */
  warm(count: number, name?: string): Promise<Cost>;
  /** `count` certificates for new names, `atOnce` at a time, by as many processes as the client needs. */
  fleet(count: number, atOnce: number): Promise<Cost>;
}

/** A Node client: one process for a whole fleet. Each has a new account: what it takes to be warm is not counted. */
export class NodeClient implements Measured {
  readonly name: string;
  readonly #kind: 'everleaf' | 'auto';
  readonly #options: ClientOptions;

  constructor(kind: 'everleaf' | 'auto', options: ClientOptions) {
    this.name = kind === 'everleaf' ? 'everleaf' : 'acme-client auto';
    this.#kind = kind;
    this.#options = options;
  }

  cold(): Promise<Cost> {
    return this.#run(1, 1);
  }

  async warm(count: number, name?: string): Promise<Cost> {
    const all = await this.#run(count, 1, ...(name === undefined ? [] : [name]));
    return { ...all, seconds: all.seconds / count, cpuMs: all.cpuMs / count };
  }

  fleet(count: number, atOnce: number): Promise<Cost> {
    return this.#run(count, atOnce);
  }

  async #run(count: number, atOnce: number, ...name: readonly string[]): Promise<Cost> {
    const { directoryUrl, caFile } = this.#options;
    const script = join(import.meta.dirname, 'node-client.ts');
    const parameters = [script, this.#kind, directoryUrl, caFile, String(count), String(atOnce), ...name];
    const printed = await new Peers().succeed(process.execPath, parameters);
    return JSON.parse(printed) as Cost;
  }
}

/** lego or certbot: a process a certificate, an account a folder. */
export class ProgramClient implements Measured {
  readonly name: string;
  readonly #create: (peers: Peers) => Client;

  constructor(name: 'lego' | 'certbot', options: ClientOptions) {
    const Program = name === 'lego' ? Lego : Certbot;
    this.name = name;
    this.#create = (peers) => new Program(peers, options);
  }

  async cold(): Promise<Cost> {
    const peers = new MeasuredPeers();
    await this.#create(peers).obtain({ names: [`${randomUUID()}.test`] });
    return costOf(peers);
  }

  async warm(count: number, name?: string): Promise<Cost> {
    const peers = new MeasuredPeers();
    const client = this.#create(peers);
    await client.obtain({ names: [name ?? `${randomUUID()}.test`] });
    const costs: Cost[] = [];
    for (let turn = 0; turn < count; turn++) {
      await client.obtain({ names: [name ?? `${randomUUID()}.test`] });
      costs.push(costOf(peers));
    }
    const mean = (of: (cost: Cost) => number): number => costs.reduce((sum, cost) => sum + of(cost), 0) / count;
    return {
      seconds: mean(({ seconds }) => seconds),
      cpuMs: mean(({ cpuMs }) => cpuMs),
      peakMiB: mean(({ peakMiB }) => peakMiB),
    };
  }

  async fleet(count: number, atOnce: number): Promise<Cost> {
    const workers = Array.from({ length: atOnce }, () => new MeasuredPeers());
    const clients = workers.map((peers) => ({ peers, client: this.#create(peers) }));
    for (const [index, { client }] of clients.entries()) await client.obtain({ names: [`warm-${index}.test`] });
    const costs: Cost[] = [];
    const startedAt = performance.now();
    let left = count;
    await Promise.all(
      clients.map(async ({ peers, client }) => {
        while (left-- > 0) {
          await client.obtain({ names: [`${randomUUID()}.test`] });
          costs.push(costOf(peers));
        }
      }),
    );
    return {
      seconds: (performance.now() - startedAt) / 1_000,
      cpuMs: costs.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
      // Side by side.
      peakMiB: atOnce * Math.max(...costs.map(({ peakMiB }) => peakMiB)),
    };
  }
}

function costOf({ last }: MeasuredPeers): Cost {
  if (last === undefined) throw new Error('nothing was run');
  return last;
}
