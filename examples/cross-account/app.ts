import { App, Stack } from 'aws-cdk-lib';
import { CfnEventBusPolicy, EventBus, Rule } from 'aws-cdk-lib/aws-events';
import { EventBus as ToEventBus, SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { Everleaf } from 'everleaf';

const app = new App();
const region = 'us-east-1';
const [platform, shop] = ['111122223333', '444455556666'];

// In the account of a team that subscribes: a bus that the platform may publish to, and a rule from there on.
const theirs = new Stack(app, 'Shop', { env: { account: shop, region } });
const certificates = new EventBus(theirs, 'Certificates', { eventBusName: 'certificates' });
new CfnEventBusPolicy(theirs, 'FromPlatform', {
  eventBusName: certificates.eventBusName,
  statementId: 'FromPlatform',
  statement: {
    Effect: 'Allow',
    Principal: { AWS: `arn:aws:iam::${platform}:root` },
    Action: 'events:PutEvents',
    Resource: certificates.eventBusArn,
    Condition: { StringEquals: { 'events:source': 'everleaf' } },
  },
});
new Rule(theirs, 'Rotated', {
  eventBus: certificates,
  eventPattern: { account: [platform], source: ['everleaf'], detailType: ['Certificate Rotated'] },
  targets: [new SqsQueue(new Queue(theirs, 'Rotations', { enforceSSL: true }))],
});

// In the platform's account: Everleaf, and a rule that passes on what is that team's.
const ours = new Stack(app, 'Platform', { env: { account: platform, region } });
const everleaf = new Everleaf(ours, 'Everleaf', { manifest: 'certificates' });
const theirBus = EventBus.fromEventBusArn(ours, 'TheirBus', `arn:aws:events:${region}:${shop}:event-bus/certificates`);
everleaf.onRotated('shop').addTarget(new ToEventBus(theirBus));
