import { type Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { IVpc } from 'aws-cdk-lib/aws-ec2';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  Architecture,
  Code,
  Function as LambdaFunction,
  LoggingFormat,
  RecursiveLoop,
  Runtime,
  type Tracing,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { bundleFolder } from './bundles.ts';

/** What all functions of a deployment have in common. */
export interface FunctionRuntime {
  readonly logRetention: RetentionDays;
  readonly tracing: Tracing;
}

export interface EverleafFunctionProps {
  /** The folder in `functions/` that holds its handler. */
  readonly name: 'deploy' | 'detect' | 'issue' | 'ready' | 'survey' | 'sync';
  readonly description: string;
  readonly timeout: Duration;
  readonly memoryMiB: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly runtime: FunctionRuntime;
  /** It waits by way of its own queue, a hint after the other. Lambda takes that for a loop, and would drop the sixteenth. */
  readonly hintsItself?: boolean;
  /** It joins the private subnets of this VPC. */
  readonly vpc?: IVpc | undefined;
}

/**
 * Lambda's own doing under the role of a function in a VPC, and none of it can be narrowed beforehand: AWS Lambda, "Giving Lambda
 * functions access to resources in an Amazon VPC".
 */
const NETWORK_INTERFACES = new PolicyDocument({
  statements: [
    new PolicyStatement({
      actions: [
        'ec2:CreateNetworkInterface',
        'ec2:DescribeNetworkInterfaces',
        'ec2:DescribeSubnets',
        'ec2:DeleteNetworkInterface',
        'ec2:AssignPrivateIpAddresses',
        'ec2:UnassignPrivateIpAddresses',
      ],
      resources: ['*'],
    }),
  ],
});

/** A function with a role, a log group and a bundle of its own. The role may write that log group; all else is granted. */
export class EverleafFunction extends Construct {
  readonly lambda: LambdaFunction;
  readonly role: Role;

  constructor(scope: Construct, id: string, props: EverleafFunctionProps) {
    super(scope, id);
    const logGroup = new LogGroup(this, 'Logs', {
      retention: props.runtime.logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.role = new Role(this, 'Role', {
      description: `Everleaf ${props.name}`,
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      inlinePolicies: {
        logs: new PolicyDocument({
          statements: [
            new PolicyStatement({
              actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
              resources: [logGroup.logGroupArn],
            }),
          ],
        }),
        ...(props.vpc === undefined ? {} : { network: NETWORK_INTERFACES }),
      },
    });
    this.lambda = new LambdaFunction(this, 'Function', {
      description: props.description,
      code: Code.fromAsset(bundleFolder(props.name)),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      timeout: props.timeout,
      memorySize: props.memoryMiB,
      environment: { ...props.environment },
      role: this.role,
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      tracing: props.runtime.tracing,
      ...(props.hintsItself === true ? { recursiveLoop: RecursiveLoop.ALLOW } : {}),
      ...(props.vpc === undefined ? {} : { vpc: props.vpc }),
    });
  }

  allow(
    actions: readonly string[],
    resources: readonly string[],
    conditions?: Readonly<Record<string, unknown>>,
  ): void {
    this.role.addToPolicy(
      new PolicyStatement({
        actions: [...actions],
        resources: [...resources],
        ...(conditions === undefined ? {} : { conditions: { ...conditions } }),
      }),
    );
  }
}
