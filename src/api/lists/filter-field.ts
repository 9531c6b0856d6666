/** A field that has one of a few names: compared by `=` and `!=` only. */
export interface NameField<R> {
  readonly kind: 'name';
  readonly column: string;
  readonly names: readonly string[];
  read(resource: R): string;
}

/** A text; never absent. */
export interface TextField<R> {
  readonly kind: 'text';
  readonly column: string;
  read(resource: R): string;
}

/** A whole number from 0 to 2^63 − 1. */
export interface IntegerField<R> {
  readonly kind: 'integer';
  readonly column: string;
  read(resource: R): bigint;
}

/** A moment, in milliseconds since 1970 in its column, where NULL means that it is absent. */
export interface TimeField<R> {
  readonly kind: 'time';
  readonly column: string;
  read(resource: R): Date | undefined;
}

/** Texts by key: a JSON object in its column. A condition names one key. */
export interface MapField<R> {
  readonly kind: 'map';
  readonly column: string;
  read(resource: R): Readonly<Record<string, string>>;
}

/** A set of texts: a JSON array in its column. A condition asks whether it has one. */
export interface SetField<R> {
  readonly kind: 'set';
  readonly column: string;
  read(resource: R): readonly string[];
}

/**
 * A field that a filter may name: its column in the projection, and how it is read from the resource itself. `column` goes
 * into SQL as it is and is never a caller's text.
 */
export type FilterField<R> = NameField<R> | TextField<R> | IntegerField<R> | TimeField<R> | MapField<R> | SetField<R>;

/** The fields of a resource by the names that callers use. */
export type FilterFields<R> = ReadonlyMap<string, FilterField<R>>;
