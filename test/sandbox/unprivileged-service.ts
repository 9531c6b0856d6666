/**
 * A service that is not root, as a process of its own: gives up root, probes, lets a shell look around in the sandbox, and prints
 * as JSON what it was told: `node unprivileged-service.ts`, started by root.
 */
process.setgroups!([]);
process.setgid!(64_123);
process.setuid!(64_123);
const { lentFiles, runScript, sandbox } = await import('./sandbox-fixture.ts');
const cleanUp: (() => unknown)[] = [];
let looked: unknown;
if (sandbox.kind === 'full') {
  const [source, target] = lentFiles({ teardown: (step) => void cleanUp.push(step) }, 'disk\n');
  const script = 'read line < /source; echo "$line"; ( echo changed > /source ) 2>/dev/null; echo $?; echo image > /target; echo $?; echo /*';
  looked = await runScript(sandbox.run, script, [source, target]);
}
process.stdout.write(JSON.stringify({ kind: sandbox.kind, missing: sandbox.kind === 'full' ? undefined : sandbox.missing, looked }));
for (const step of cleanUp) step();
