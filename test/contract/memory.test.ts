import { memoryAccounts } from '../support/memory-accounts.ts';
import { memoryDns } from '../support/memory-dns.ts';
import { memoryInventory } from '../support/memory-inventory.ts';
import { memoryStore } from '../support/memory-store.ts';
import { accountStoreContract } from './account-store.contract.ts';
import { dnsWriterContract } from './dns-writer.contract.ts';
import { inventoryContract } from './inventory.contract.ts';
import { secretStoreContract } from './secret-store.contract.ts';

accountStoreContract('in memory', async () => {
  const accounts = memoryAccounts();
  return { accounts, put: accounts.put };
});
dnsWriterContract('in memory', async () => {
  const dns = memoryDns('contract.example', 'inner.contract.example');
  return {
    writer: dns,
    apex: 'contract.example',
    inner: 'inner.contract.example',
    values: async (name) => dns.values(name),
    putByPerson: async (name, value) => dns.putByPerson(name, value),
  };
});
inventoryContract('in memory', async () => memoryInventory());
secretStoreContract('in memory', async () => {
  const store = memoryStore();
  return { store, versions: store, overwriteByStranger: (slot) => store.overwriteByStranger(slot) };
});
