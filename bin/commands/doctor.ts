import { styleText } from 'node:util';
import { checking, type Finding } from '../doctor/finding.ts';
import { issuerChecks } from '../doctor/issuer-checks.ts';
import { personChecks } from '../doctor/person-checks.ts';
import { quotaChecks } from '../doctor/quota-checks.ts';
import { stackChecks } from '../doctor/stack-checks.ts';
import { type Wanted, wantedOf } from '../doctor/wanted.ts';
import { zoneChecks } from '../doctor/zone-checks.ts';
import { type StackOptions, withAccount } from '../operator/account.ts';
import { permittedBy } from '../operator/denied.ts';
import type { Terminal } from '../terminal.ts';
import { EXIT_FINDINGS, EXIT_FINE } from './exit-codes.ts';

export interface DoctorOptions extends StackOptions {
  readonly json: boolean;
}

/** `everleaf doctor [DIR]`: whether the next certificate can be issued, before it has to be. Changes nothing. 1 where something is wrong. */
export async function doctor(folder: string | undefined, options: DoctorOptions, io: Terminal): Promise<number> {
  return permittedBy('viewer', () =>
    withAccount(options, async (account) => {
      const findings: Finding[] = [];
      const add = (more: readonly Finding[]): void => {
        findings.push(...more);
        if (!options.json) for (const finding of more) io.stdout.write(`${lineOf(finding, io.stdout)}\n`);
      };
      add(await personChecks(account));
      add(await stackChecks(account));
      let wanted: Wanted | undefined;
      add(
        await checking(folder === undefined ? 'inventory' : 'manifest', async () => {
          wanted = await wantedOf(folder, account, io.stderr);
          return [];
        }),
      );
      if (wanted !== undefined) {
        add(await issuerChecks(account, wanted));
        add(await zoneChecks(account, wanted));
        add(quotaChecks(wanted));
      }
      if (options.json) io.stdout.write(`${JSON.stringify({ findings }, null, 2)}\n`);
      else io.stdout.write(`${summary(findings)}\n`);
      return findings.some(({ verdict }) => verdict === 'fault') ? EXIT_FINDINGS : EXIT_FINE;
    }),
  );
}

const MARKS = { fine: ['green', '✔'], warning: ['yellow', '⚠'], fault: ['red', '✘'] } as const;

function lineOf({ check, verdict, message, remedy }: Finding, stream: NodeJS.WritableStream): string {
  const [colour, mark] = MARKS[verdict];
  const what = `${styleText(colour, mark, { stream })} ${check}: ${message}`;
  return remedy === undefined ? what : `${what}\n  → ${remedy}`;
}

function summary(findings: readonly Finding[]): string {
  const count = (wanted: Finding['verdict']): number => findings.filter(({ verdict }) => verdict === wanted).length;
  return `${findings.length} checks: ${count('fault')} faults, ${count('warning')} warnings.`;
}
