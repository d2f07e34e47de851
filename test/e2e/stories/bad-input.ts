import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { leaveOut } from '../adaptations.ts';
import { outcomeOf } from '../host/programs.ts';
import { eventually } from '../support/eventually.ts';
import type { World } from '../support/world.ts';

/** What this run says when it cannot do its work, and what it leaves behind. */
export function badInput(world: () => World): void {
  /** Another end-to-end run, as a person would start it, with a temporary folder of its own. */
  function startRun(
    parameters: readonly string[],
    env: NodeJS.ProcessEnv = {},
  ): { child: ChildProcess; temporary: string } {
    const { root, folder, home } = world().settings;
    const temporary = mkdtempSync(join(folder, 'run-'));
    const child = spawn(process.execPath, [join('test', 'e2e', 'run.ts'), ...parameters], {
      cwd: root,
      env: { ...process.env, HOME: home, TMPDIR: temporary, ...env },
    });
    return { child, temporary };
  }

  describe('an end-to-end run that cannot be', () => {
    it('says that Python is missing and how to get it', async () => {
      const path = join(world().settings.folder, 'without-python');
      mkdirSync(path);
      symlinkSync(process.execPath, join(path, 'node'));
      const { child, temporary } = startRun([], { PATH: path });
      const { code, output } = await outcomeOf(child);
      expect({ code, left: readdirSync(temporary) }).toEqual({ code: 2, left: [] });
      expect(output).toMatch(/needs Python .*python3: not found.*Install Python 3\.10 or later/s);
    });

    it('says that its port is taken and what to do', async () => {
      const { port } = new URL(world().settings.endpoint);
      const { child, temporary } = startRun(['--port', port]);
      const { code, output } = await outcomeOf(child);
      expect({ code, left: readdirSync(temporary) }).toEqual({ code: 2, left: [] });
      expect(output).toMatch(new RegExp(`^Port ${port} of 127.0.0.1 cannot be had .* Name another with --port`));
    });

    it('stops everything when it is interrupted', async () => {
      const { child, temporary } = startRun([]);
      const outcome = outcomeOf(child);
      const endpoint = await new Promise<URL>((resolve) => {
        child.stdout?.on('data', (chunk: Buffer) => {
          const [, url] = /MiniStack is up at (\S+),/.exec(chunk.toString()) ?? [];
          if (url !== undefined) resolve(new URL(url));
        });
      });
      const caPort = await eventually('its public CA listens', () => listeningCa(temporary));
      child.kill('SIGINT');
      expect(await outcome).toMatchObject({ code: 130 });
      expect(readdirSync(temporary)).toEqual([]);
      for (const port of [Number(endpoint.port), caPort]) await expect(connected(port)).rejects.toThrow('ECONNREFUSED');
    });
  });

  describe('a template that the emulator cannot deploy', () => {
    it('is refused with the name of the resource type it does not know', async () => {
      const deployed = world().deploy(({ Resources }) => {
        Resources['Stranger'] = { Type: 'AWS::Nowhere::Thing', Properties: {} };
      });
      await expect(deployed).rejects.toThrow('Unrecognized resource types: [AWS::Nowhere::Thing]');
    });

    it('loses the listed types only, and not one that others refer to', () => {
      const listed = [{ type: 'AWS::Nowhere::Thing', reason: 'a test' }];
      const template = () => ({
        Resources: {
          Queue: { Type: 'AWS::SQS::Queue', Properties: {} },
          Thing: { Type: 'AWS::Nowhere::Thing', Properties: {} },
        },
      });
      const alone = template();
      expect(leaveOut(alone, listed)).toEqual(['AWS::Nowhere::Thing']);
      expect(Object.keys(alone.Resources)).toEqual(['Queue']);
      const referred = template();
      Object.assign(referred.Resources.Queue.Properties, { Name: { Ref: 'Thing' } });
      expect(() => leaveOut(referred, listed)).toThrow('cannot leave out Thing');
    });
  });
}

/** Port of the Pebble that a run below `temporary` has started; undefined as long as nobody listens there. */
async function listeningCa(temporary: string): Promise<number | undefined> {
  const [file] = globSync(join(temporary, '*', 'pebble-*', 'config.json'));
  if (file === undefined) return undefined;
  const { pebble } = JSON.parse(readFileSync(file, 'utf8')) as { readonly pebble: { readonly listenAddress: string } };
  const port = Number(pebble.listenAddress.split(':')[1]);
  return connected(port).then(
    () => port,
    () => undefined,
  );
}

async function connected(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.destroy();
}
