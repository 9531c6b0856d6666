/** A message of which fields may be left out, at any depth. */
export type Part<T> = T extends bigint | string | number | boolean | Date | Uint8Array | undefined ? T
  : T extends (infer Item)[] ? Part<Item>[]
  : T extends { readonly $case: string; readonly value: unknown } ? { readonly $case: T['$case']; readonly value: Part<T['value']> }
  : { readonly [Key in keyof T]?: Part<T[Key]> };
