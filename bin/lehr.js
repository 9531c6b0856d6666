#!/usr/bin/env node
// Starts Lehr on a Node that can run it, however old the one is that started this file: so this file keeps to syntax
// that Node 12 knows. On Node 24 and later Lehr runs in this very process. Otherwise it runs in a child process on the
// binary that the `node` package brings, and this process only stands in for it: same terminal, signals and exit code.
import { spawn } from 'child_process';
import { existsSync } from 'fs';
import { createRequire } from 'module';
import path from 'path';
import { isatty } from 'tty';
import { fileURLToPath, pathToFileURL } from 'url';

const OLDEST_NODE = 24;

// Set for the child, which then starts no other; taken away there, so that neither Lehr nor what it starts sees it.
const LAUNCHED = 'LEHR_LAUNCHED';

const self = fileURLToPath(import.meta.url);
const root = path.dirname(path.dirname(self));

// A package that was published has no src folder, a checkout may have a dist folder that is out of date.
function findEntry() {
  const source = path.join(root, 'src', 'cli', 'main.ts');
  return existsSync(path.join(root, 'src')) ? source : path.join(root, 'dist', 'command', 'main.js');
}

// Asked of the module resolver, because the package may lie beside this one or above it.
function findNode() {
  try {
    const manifest = createRequire(import.meta.url).resolve('node/package.json');
    const binary = path.join(path.dirname(manifest), 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
    return existsSync(binary) ? binary : undefined;
  } catch (error) {
    if (error.code === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

function runHere() {
  if (process.env[LAUNCHED] !== undefined) {
    delete process.env[LAUNCHED];
    // A launcher that was killed with SIGKILL passes nothing on, but its end of the channel closes.
    process.once('disconnect', function () {
      process.kill(process.pid, 'SIGTERM');
    });
    // Without this the channel would keep the process alive when its work is done.
    process.channel.unref();
  }
  const entry = findEntry();
  process.argv[1] = entry;
  import(pathToFileURL(entry).href).catch(function (error) {
    console.error(error);
    process.exit(1);
  });
}

function runOn(node) {
  const child = spawn(node, ['--disable-warning=ExperimentalWarning', '--disable-warning=TimeoutNegativeWarning', self].concat(process.argv.slice(2)), {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: Object.assign({}, process.env, { [LAUNCHED]: '1' }),
  });
  // The terminal sends its signals to both processes. Passed on once more, one Ctrl-C would look like two.
  const hasTerminal = isatty(0) || isatty(1) || isatty(2);
  ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'].forEach(function (signal) {
    process.on(signal, function () {
      if (signal === 'SIGTERM' || !hasTerminal) child.kill(signal);
    });
  });
  child.on('error', function (error) {
    console.error('lehr: ' + node + ' cannot be started: ' + error.message);
    process.exit(1);
  });
  child.on('exit', function (code, signal) {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

if (process.env[LAUNCHED] !== undefined || Number(process.versions.node.split('.')[0]) >= OLDEST_NODE) {
  runHere();
} else {
  const node = findNode();
  if (node === undefined) {
    console.error(
      'lehr: needs Node ' + OLDEST_NODE + ' or later, and this is Node ' + process.versions.node + '. The npm package "node", which brings one,\n' +
      'has no binary here: npm did not run its install script. Run "npm rebuild node" (npm may ask for\n' +
      '"npm approve-scripts node" first), or install a newer Node.',
    );
    process.exit(1);
  }
  runOn(node);
}
