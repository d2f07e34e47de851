import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { App } from 'aws-cdk-lib';
import { MINUTE_MS } from '../../functions/core/time.ts';
import { AlarmBoard, type DataPoint } from '../support/alarms/board.ts';
import { Measurements } from '../support/alarms/measurements.ts';
import { readAlarms, type Template } from '../support/alarms/template-alarms.ts';
import { type Deployment, type DeploymentOptions, deployOnTwin } from '../support/deployment.ts';

/** A deployment whose alarms somebody watches. */
export interface Watch {
  readonly deployment: Deployment;
  readonly board: AlarmBoard;
  /** As it was deployed. */
  readonly template: Template;
  readonly points: () => readonly DataPoint[];
  /** The alarms that ring now. */
  readonly look: () => readonly string[];
  /** The schedule fires every five minutes, as often as any alarm looks for. Answers the alarms that ring in the end. */
  readonly minutes: (count: number) => Promise<readonly string[]>;
  /** Nobody watches and nothing is looked for: time only goes by. */
  readonly skip: (ms: number) => void;
  readonly close: () => Promise<void>;
}

const STEP_MINUTES = 5;

export async function watch(options: DeploymentOptions): Promise<Watch> {
  let synthesized: App | undefined;
  const deployment = await deployOnTwin({
    ...options,
    adapt: (stack, app) => {
      synthesized = app;
      options.adapt?.(stack, app);
    },
  });
  const { twin } = deployment;
  const template = JSON.parse(
    readFileSync(join(synthesized?.outdir ?? '', 'Everleaf.template.json'), 'utf8'),
  ) as Template;
  const board = new AlarmBoard(readAlarms(template, (logicalId) => twin.physicalId(logicalId)));
  const queues = Object.keys(template.Resources).filter((id) => template.Resources[id]?.Type === 'AWS::SQS::Queue');
  const measurements = new Measurements(twin, queues);
  const look = (): readonly string[] => {
    measurements.sample();
    return board.lookAt(measurements.points, twin.clock.now());
  };
  return {
    deployment,
    board,
    template,
    points: () => measurements.points,
    look,
    minutes: async (count) => {
      let ringing = look();
      for (let minute = 0; minute < count; minute += STEP_MINUTES) {
        await deployment.advance(STEP_MINUTES * MINUTE_MS);
        ringing = look();
      }
      return ringing;
    },
    skip: (ms) => twin.clock.advance(ms),
    close: deployment.close,
  };
}
