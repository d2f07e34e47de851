import type { IssuedChain } from '../../core/certificate.ts';
import { describeFailure, TransientError } from '../../core/errors.ts';
import type { Issuer, IssuerContext, SigningRequest, Step } from '../../core/ports.ts';
import { connectAccount, forgetAccount, isAccountLost } from './account.ts';
import { AcmeClient } from './client.ts';
import { allowedUrls } from './hosts.ts';
import { deactivateAuthorizations } from './authorizations.ts';
import type { AcmeOptions } from './options.ts';
import { placeOrder } from './order.ts';
import { Progress, type Solvers } from './progress.ts';
import { askRenewalInfo } from './renewal-info.ts';
import { revokeCertificate } from './revocation.ts';
import { decodeTicket, encodeTicket, type OrderState } from './ticket.ts';
import { httpsTransport } from './transport.ts';

/** Any CA that speaks RFC 8555. */
export function acmeIssuer(
  options: AcmeOptions,
  solvers: Solvers,
  context: IssuerContext,
  transport = httpsTransport(options.caBundle),
): Issuer {
  let connection: Promise<AcmeClient> | undefined;

  /** Remembers success only: a failure is tried again. */
  function connected(): Promise<AcmeClient> {
    connection ??= connectAccount(options, context, transport).catch((error: unknown) => {
      connection = undefined;
      throw error;
    });
    return connection;
  }

  async function withClient<T>(work: (client: AcmeClient) => Promise<T>): Promise<T> {
    const client = await connected();
    try {
      return await work(client);
    } catch (error) {
      if (isAccountLost(error)) {
        connection = undefined;
        await forgetAccount(options, context);
      }
      throw error;
    }
  }

  return {
    start: (request: SigningRequest): Promise<Step<IssuedChain>> =>
      withClient(async (client) => {
        const placed = await placeOrder(client, options, request);
        return { status: 'waiting', ticket: encodeTicket(placed), checkAfterSeconds: 0 };
      }),

    check: (request, ticket) =>
      withClient((client) => {
        const state = decodeTicket(ticket);
        if (state.account !== client.accountUrl) throw orderElsewhere(state);
        return new Progress(client, options, solvers, context.log).advance(request, state);
      }),

    abandon: async (ticket) => {
      const { order, account, challenges, authorizations } = decodeTicket(ticket);
      await solvers.cleanUp(challenges);
      try {
        await withClient(async (client) => {
          if (client.accountUrl === account) await deactivateAuthorizations(client, authorizations);
        });
      } catch (error) {
        // They expire by themselves, and a CA that has lost the order has nothing to give back.
        context.log('authorizations were left to expire', { order, failure: describeFailure(error) });
      }
    },

    renewalInfo: (leaf) => withClient((client) => askRenewalInfo(client, leaf)),

    revoke: async (revocation) => {
      const { certificateKey } = revocation;
      if (certificateKey === undefined) {
        return withClient((client) => revokeCertificate(client, revocation, 'account'));
      }
      const client = new AcmeClient({
        directoryUrl: options.server,
        key: certificateKey,
        transport,
        clock: context.clock,
        allow: allowedUrls(options),
      });
      return revokeCertificate(client, revocation, 'certificateKey');
    },
  };
}

/** The manifest names another account, or another CA, than when the order was placed; or the CA has lost that account. */
const orderElsewhere = ({ order, account }: OrderState): TransientError =>
  new TransientError(
    'OrderElsewhere',
    `order ${order} is of the account ${account}, which is not the issuer's any more`,
    {
      endsAttempt: true,
    },
  );
