import { readEnvironment, setting } from '../aws/environment.ts';
import { createLogger } from '../aws/logger.ts';
import { logMeter } from '../aws/meter.ts';
import { stateOf } from '../core/standing.ts';
import { measureSurvey, type NearExpiry, surveyFleet } from '../core/survey.ts';
import { type Instant, toTimestamp } from '../core/time.ts';
import { dynamoDbInventory } from '../inventories/dynamodb.ts';

const environment = readEnvironment({ TABLE_NAME: setting, DEPLOYMENT: setting });
const inventory = dynamoDbInventory(environment.TABLE_NAME);
const meter = logMeter(environment.DEPLOYMENT);
const logger = createLogger('survey');

/** Runs on a schedule of its own, and looks at every certificate. Its event says nothing that matters. */
export async function handler(): Promise<void> {
  const now = Date.now();
  const survey = await surveyFleet(inventory.standings(), now);
  for (const each of survey.nearest) logger.info('near expiry', { ...asRow(each, now) });
  const { nearest: _named, ...counts } = survey;
  logger.info('looked at the fleet', counts);
  measureSurvey(survey, meter);
  meter.publish();
}

/** A row of the dashboard's table. */
function asRow(near: NearExpiry, now: Instant): object {
  const { certificate, inUse, lifetimeLeft, renewalTimeLeft, failures } = near;
  return {
    certificate,
    state: stateOf(near, now),
    notAfter: toTimestamp(inUse.notAfter),
    renewAt: toTimestamp(inUse.renewAt),
    lifetimeLeft: Math.round(lifetimeLeft),
    renewalTimeLeft: Math.round(renewalTimeLeft),
    ...(failures.code === undefined ? {} : { failure: failures.code }),
  };
}
