import { memoryInventory } from '../support/memory-inventory.ts';
import { memoryStore } from '../support/memory-store.ts';
import { inventoryContract } from './inventory.contract.ts';
import { secretStoreContract } from './secret-store.contract.ts';

inventoryContract('in memory', async () => memoryInventory());
secretStoreContract('in memory', async () => {
  const store = memoryStore();
  return { store, overwriteByStranger: (slot) => store.overwriteByStranger(slot) };
});
