import type { Database, Statement } from 'better-sqlite3';
import type { SqlCondition } from './sql-condition.ts';

/** Prepared statements that are kept at most; filters come in few shapes. */
const statementLimit = 200;

/** Lists one BLOB column of one table by conditions that are made at run time, keeping the prepared statements. */
export function listStatements(
  db: Database, table: string, column: string,
): (condition: SqlCondition, orderBy: string, limit: number) => Buffer[] {
  const statements = new Map<string, Statement<unknown[], Buffer>>();
  return (condition, orderBy, limit) => {
    const sql = `SELECT ${column} FROM ${table} WHERE ${condition.where} ORDER BY ${orderBy} LIMIT ?`;
    let statement = statements.get(sql);
    if (statement === undefined) {
      if (statements.size >= statementLimit) statements.clear();
      statement = db.prepare<unknown[], Buffer>(sql).pluck();
      statements.set(sql, statement);
    }
    return statement.all(...condition.parameters, limit);
  };
}
