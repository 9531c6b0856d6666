/** An SQL expression for a WHERE clause and the values of its `?`. The text never holds what a caller sent. */
export interface SqlCondition {
  readonly where: string;
  readonly parameters: readonly (string | number | bigint)[];
}
