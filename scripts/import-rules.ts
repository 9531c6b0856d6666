import path from 'node:path';

import type { Rule } from 'eslint';
import type { Node } from 'estree';

/** What the files of one zone may import besides files of the zone itself. */
export type Zone = {
  /** Folder or file, relative to the root of the repository, with `/` between the parts. The longest match owns a file. */
  readonly path: string;
  /** Paths that files of the zone may import; a folder stands for everything in it. */
  readonly mayImport: readonly string[];
  /** Paths of which only types may be imported. */
  readonly mayImportTypes?: readonly string[];
  /** `false` forbids packages and Node's own modules alike. */
  readonly packages?: false;
};

const BYTES = ['src/codecs', 'src/archives', 'src/formats', 'src/credentials', 'src/sources', 'src/destinations', 'src/stores', 'src/domain', 'src/gen'];
const STAGES = ['src/bytes', 'src/sandbox', ...BYTES];
const HANDLERS = ['src/stages', 'src/regions', ...STAGES];
const RECORD = ['src/log', 'src/domain', 'src/gen'];
const READ_MODELS = ['src/projector', 'projections', ...RECORD];
const SERVICES = ['src/handlers', 'src/jobs', 'src/streams', ...HANDLERS, ...READ_MODELS];
const CONFIGURATION = ['src/config.ts', 'src/settings.ts', 'src/setting-values.ts'];

/**
 * The layers of the source tree from bottom to top. A file that stands in none of these zones is reported, so that a
 * new folder has to find its layer before it can be used.
 */
export const ZONES: readonly Zone[] = [
  { path: 'src/gen', mayImport: [] },
  { path: 'src/domain', mayImport: [], mayImportTypes: ['src/gen'], packages: false },
  { path: 'src/formats', mayImport: ['src/domain', 'src/gen'] },
  { path: 'src/codecs', mayImport: ['src/formats', 'src/domain', 'src/gen'] },
  { path: 'src/archives', mayImport: ['src/formats', 'src/domain', 'src/gen'] },
  { path: 'src/credentials', mayImport: ['src/domain', 'src/gen'] },
  { path: 'src/sources', mayImport: ['src/credentials', 'src/domain', 'src/gen'] },
  // A destination is reached as a source is: the same judged addresses and connections, the same object stores.
  { path: 'src/destinations', mayImport: ['src/sources', 'src/credentials', 'src/stores', 'src/domain', 'src/gen'] },
  { path: 'src/stores', mayImport: ['src/domain', 'src/gen'] },
  { path: 'src/bytes', mayImport: BYTES },
  { path: 'src/sandbox', mayImport: ['src/domain', 'src/gen'] },
  // A client of another Lehr, and of nothing of this one.
  { path: 'src/regions', mayImport: ['src/sources', 'src/credentials', 'src/domain', 'src/gen'] },
  { path: 'src/stages', mayImport: STAGES },
  { path: 'src/handlers', mayImport: HANDLERS },
  { path: 'src/log', mayImport: ['src/domain', 'src/gen'] },
  { path: 'src/projector', mayImport: ['projections', ...RECORD] },
  { path: 'projections', mayImport: ['src/projector', ...RECORD] },
  { path: 'src/streams', mayImport: READ_MODELS },
  { path: 'src/jobs', mayImport: ['src/streams', ...READ_MODELS] },
  { path: 'src/worker', mayImport: SERVICES },
  { path: 'src/api', mayImport: SERVICES },
  { path: 'src/observe', mayImport: SERVICES },
  // source-allow and regions have grammars of their own, which are kept with the addresses that they are about.
  ...CONFIGURATION.map((path) => ({
    path, mayImport: [...CONFIGURATION, 'src/sources/parse-source-allow.ts', 'src/regions/parse-regions.ts', 'src/domain', 'src/gen'],
  })),
  { path: 'src/cli', mayImport: ['src/gen'] },
  // `lehr serve` is where the command line hands over to the composition root.
  { path: 'src/cli/serve.ts', mayImport: ['src/cli', 'src/serve.ts', 'src/gen'] },
  { path: 'src/serve.ts', mayImport: ['src/main.ts', ...CONFIGURATION] },
  // `lehr verify --kafka` hands over in the same way: no other command loads a client of Kafka.
  { path: 'src/cli/verify-topic.ts', mayImport: ['src/cli', 'src/verify-topic.ts', 'src/gen'] },
  { path: 'src/verify-topic.ts', mayImport: ['src/compose/kafka-settings-of.ts', ...RECORD, ...CONFIGURATION] },
  // `lehr inspect` does the work itself, and so needs no server.
  { path: 'src/cli/inspect-source.ts', mayImport: ['src/cli', 'src/inspect-source.ts', 'src/gen'] },
  { path: 'src/cli/output/inspection-page.ts', mayImport: ['src/cli', 'src/gen'], mayImportTypes: ['src/inspect-source.ts'] },
  { path: 'src/inspect-source.ts', mayImport: HANDLERS },
  // The composition root: with main.ts it alone knows everything.
  { path: 'src/compose', mayImport: ['src/api', 'src/worker', 'src/observe', ...SERVICES, ...CONFIGURATION] },
  { path: 'src/main.ts', mayImport: ['src/compose', 'src/api', 'src/worker', 'src/observe', ...SERVICES, ...CONFIGURATION] },
];

/** Packages that stay in their folders, so that each can be replaced there; a name ending in `/` stands for its scope. */
export const PACKAGE_HOMES: Readonly<Record<string, readonly string[]>> = {
  'better-sqlite3': ['src/log/sqlite', 'src/projector', 'projections'],
  undici: ['src/sources', 'src/regions', 'src/destinations', 'src/cli'],
  '@grpc/': ['src/api/grpc', 'src/cli', 'src/gen'],
  'grpc-health-check': ['src/api/grpc'],
  '@connectrpc/': ['src/api/connect'],
  kafkajs: ['src/log/kafka'],
  nats: ['src/jobs/nats'],
  commander: ['src/cli'],
  'xz-decompress': ['src/codecs'],
};

const isWithin = (file: string, zonePath: string): boolean => file === zonePath || file.startsWith(`${zonePath}/`);

const zoneOf = (file: string): Zone | undefined =>
  ZONES.filter((zone) => isWithin(file, zone.path)).sort((a, b) => b.path.length - a.path.length)[0];

/**
 * Says why a file must not import something, or `undefined` where it may.
 *
 * `file` is relative to the root of the repository with `/` between its parts. Files outside src/ and projections/
 * (tests, benchmarks, scripts) may import everything.
 */
export function importFault(file: string, specifier: string, typesOnly: boolean): string | undefined {
  if (!isWithin(file, 'src') && !isWithin(file, 'projections')) return undefined;
  const zone = zoneOf(file);
  if (zone === undefined) return `${file} stands in no known layer; give it one in scripts/import-rules.ts.`;
  return specifier.startsWith('.') ? fileFault(zone, file, specifier, typesOnly) : packageFault(zone, file, specifier);
}

function fileFault(zone: Zone, file: string, specifier: string, typesOnly: boolean): string | undefined {
  const target = path.posix.join(path.posix.dirname(file), specifier);
  const paths = [zone.path, ...zone.mayImport, ...(typesOnly ? (zone.mayImportTypes ?? []) : [])];
  if (paths.some((allowed) => isWithin(target, allowed))) return undefined;
  const onlyTypes = (zone.mayImportTypes ?? []).some((allowed) => isWithin(target, allowed));
  if (onlyTypes) return `${zone.path} may import only types of ${target}.`;
  return `${zone.path} must not import ${target}; imports point downwards only.`;
}

function packageFault(zone: Zone, file: string, specifier: string): string | undefined {
  if (zone.packages === false) return `${zone.path} imports nothing from outside, and so not ${specifier}.`;
  const match = Object.entries(PACKAGE_HOMES).find(([name]) =>
    name.endsWith('/') ? specifier.startsWith(name) : isWithin(specifier, name),
  );
  if (match === undefined) return undefined;
  const [name, homes] = match;
  return homes.some((home) => isWithin(file, home)) ? undefined : `${name} is imported only in ${homes.join(', ')}.`;
}

type Declaration = Node & { readonly importKind?: string; readonly exportKind?: string; readonly source?: Node | null };

const literal = (node: Node | null | undefined): string | undefined =>
  node?.type === 'Literal' && typeof node.value === 'string' ? node.value : undefined;

/** The ESLint rule `house/imports`: reports every import, re-export and `import()` that {@link importFault} refuses. */
export const importRule: Rule.RuleModule = {
  meta: { type: 'problem', schema: [] },
  create(context) {
    const file = path.relative(context.cwd, context.filename).split(path.sep).join('/');
    const check = (node: Node, source: Node | null | undefined, typesOnly: boolean): void => {
      const specifier = literal(source);
      const fault = specifier === undefined ? undefined : importFault(file, specifier, typesOnly);
      if (fault !== undefined) context.report({ node, message: fault });
    };
    const declaration = (node: Declaration): void => {
      check(node, node.source, node.importKind === 'type' || node.exportKind === 'type');
    };
    return {
      ImportDeclaration: declaration,
      ExportNamedDeclaration: declaration,
      ExportAllDeclaration: declaration,
      ImportExpression(node) {
        check(node, node.source, false);
      },
    };
  },
};
