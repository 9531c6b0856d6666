import type { Database } from 'better-sqlite3';
import { Image } from '../../src/gen/lehr/v1/image.ts';
import { listStatements } from '../../src/projector/list-statements.ts';
import type { SqlCondition } from '../../src/projector/sql-condition.ts';

/** Reads the images. */
export interface ImageQueries {
  /** One image; undefined where there is none, or none any more. */
  get(id: string): Image | undefined;
  /** The name of an image's file in the store. */
  fileOf(id: string): string | undefined;
  /** At most `limit` images that meet `condition`, in the order of `orderBy`. */
  list(condition: SqlCondition, orderBy: string, limit: number): Image[];
}

export function imageQueries(db: Database): ImageQueries {
  const get = db.prepare<[string], Buffer>('SELECT image FROM images WHERE id = ?').pluck();
  const fileOf = db.prepare<[string], string>('SELECT file FROM images WHERE id = ?').pluck();
  const list = listStatements(db, 'images', 'image');
  return {
    get(id) {
      const bytes = get.get(id);
      return bytes === undefined ? undefined : Image.decode(bytes);
    },
    fileOf: (id) => fileOf.get(id),
    list: (condition, orderBy, limit) => list(condition, orderBy, limit).map((bytes) => Image.decode(bytes)),
  };
}
