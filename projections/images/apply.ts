import { readFileSync } from 'node:fs';
import { describeImage } from '../../src/domain/image/image.ts';
import { Image } from '../../src/gen/lehr/v1/image.ts';
import type { Projection } from '../../src/projector/projection.ts';

/** Keeps each image as the API shows it. */
export const images: Projection = {
  name: 'images',
  version: 2,
  schema: readFileSync(new URL('schema.sql', import.meta.url), 'utf8'),
  prepare(db) {
    const upsert = db.prepare('INSERT OR REPLACE INTO images VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
    const remove = db.prepare('DELETE FROM images WHERE id = ?');
    return ({ changes }) => {
      for (const { stream } of changes) {
        if (stream?.kind !== 'image' || stream.state.status === 'absent') continue;
        if (stream.state.status === 'deleted') {
          remove.run(stream.state.id);
          continue;
        }
        const image = describeImage(stream.state);
        upsert.run(
          image.id, image.owner, image.name, image.format, image.sizeBytes, image.virtualSizeBytes, image.digest, image.guestDigest,
          JSON.stringify(image.tags), JSON.stringify(image.properties),
          image.createTime?.getTime(), image.updateTime?.getTime(), stream.state.registered.file, Image.encode(image).finish(),
        );
      }
    };
  },
};
