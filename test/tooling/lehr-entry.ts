import path from 'node:path';

const launcher = path.resolve(import.meta.dirname, '../../bin/lehr.js');

/**
 * What Node is given to run `lehr`: in a run of all tests the command as it is published, built from this very source a moment ago;
 * otherwise the launcher, which runs the source itself.
 */
export const lehrEntry = process.env['TEST_LEHR'] ?? launcher;
