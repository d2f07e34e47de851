import { Processes } from './processes.ts';
import { type PeerPrograms, readSettings, type Settings } from './settings.ts';

/** The programs of one suite. */
export class Peers extends Processes {
  readonly programs: PeerPrograms;

  constructor({ folder, programs }: Settings = readSettings()) {
    super(folder);
    this.programs = programs;
  }
}
