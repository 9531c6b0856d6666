import type { Settings } from '../../acceptance/harness/lehr-server.ts';

/** Every node runs so: limits that let hopeless tasks end within the run, and little parallel work on few cores. */
export const nodeSettings = (exportsFolder: string): Settings => ({
  workers: '1', transfers: '16', 'attempt-limit': '4', 'idle-timeout': '2s', 'stage-timeout': '30s', 'file-roots': exportsFolder,
});
