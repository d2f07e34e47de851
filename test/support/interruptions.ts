import type { RenewalParts } from '../../functions/issue/parts.ts';

/** The worker is gone: nothing after this line ran. */
export class Killed extends Error {
  override readonly name = 'Killed';
}

/** One call of one port, in the order of a renewal. */
export interface PortCall {
  readonly port: string;
  readonly method: string;
}

export type Interruption = (call: PortCall, index: number, act: () => Promise<unknown>) => Promise<unknown>;

type AnyMethod = (...values: readonly unknown[]) => Promise<unknown>;

/** The same parts with every call of every port passing through `interrupt`. */
export function interrupted(parts: RenewalParts, interrupt: Interruption): RenewalParts {
  let index = 0;
  let dead = false;
  const wrap = <T extends object>(port: string, target: T): T =>
    new Proxy(target, {
      get: (object, property, receiver) => {
        const member: unknown = Reflect.get(object, property, receiver);
        if (typeof member !== 'function') return member;
        const method = member as AnyMethod;
        return async (...values: readonly unknown[]) => {
          // A killed worker makes no further call, whatever its code would do on the way out.
          if (dead) throw new Killed();
          try {
            return await interrupt({ port, method: String(property) }, index++, () =>
              method.apply(object, [...values]),
            );
          } catch (error) {
            if (error instanceof Killed) dead = true;
            throw error;
          }
        };
      },
    });
  return {
    ...parts,
    inventory: wrap('inventory', parts.inventory),
    store: wrap('store', parts.store),
    bus: wrap('bus', parts.bus),
    hints: wrap('hints', parts.hints),
    connect: async (spec) => {
      const connected = await parts.connect(spec);
      return { ...connected, issuer: wrap('issuer', connected.issuer) };
    },
  };
}
