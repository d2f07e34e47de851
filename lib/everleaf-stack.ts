import { Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { Everleaf } from './everleaf.ts';
import type { EverleafProps } from './everleaf-props.ts';

/** The whole pipeline as a stack, for people who only have manifests. */
export class EverleafStack extends Stack {
  readonly everleaf: Everleaf;

  constructor(scope: Construct, id: string, props: StackProps & EverleafProps) {
    super(scope, id, { description: 'Everleaf: keeps TLS certificates valid', ...props });
    this.everleaf = new Everleaf(this, 'Everleaf', props);
  }
}
