/**
 * The store's schema, one step a version; `PRAGMA user_version` counts the steps taken. A step that has been
 * released is never changed.
 *
 * Embeddings are immutable: an update of a record inserts new rows. Their AUTOINCREMENT key, never given
 * twice, is the label in the HNSW graph. A collection without model and fingerprint holds embeddings that
 * were brought along. Times are milliseconds since 1970; what has passed its `expires_at` is gone for every
 * reader, before the sweep removes it.
 */
export const MIGRATIONS = [
  `
  CREATE TABLE collection (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    model TEXT,
    fingerprint TEXT,
    dimension INTEGER NOT NULL,
    hnsw TEXT NOT NULL,
    storage TEXT NOT NULL,
    records INTEGER NOT NULL DEFAULT 0,
    image_bytes INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE record (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    collection INTEGER NOT NULL REFERENCES collection (id) ON DELETE CASCADE,
    id TEXT NOT NULL,
    text TEXT,
    metadata TEXT,
    image_sha256 TEXT,
    image_type TEXT,
    image_bytes INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (collection, id)
  ) STRICT;
  CREATE INDEX record_image ON record (image_sha256) WHERE image_sha256 IS NOT NULL;

  CREATE TABLE embedding (
    label INTEGER PRIMARY KEY AUTOINCREMENT CHECK (label < 4294967296),
    collection INTEGER NOT NULL REFERENCES collection (id) ON DELETE CASCADE,
    record INTEGER NOT NULL REFERENCES record (key) ON DELETE CASCADE,
    modality TEXT NOT NULL CHECK (modality IN ('image', 'text')),
    vector BLOB NOT NULL,
    UNIQUE (record, modality)
  ) STRICT;
  CREATE INDEX embedding_collection ON embedding (collection);

  CREATE TRIGGER record_added AFTER INSERT ON record BEGIN
    UPDATE collection SET records = records + 1, image_bytes = image_bytes + new.image_bytes
    WHERE id = new.collection;
  END;
  CREATE TRIGGER record_changed AFTER UPDATE OF image_bytes ON record BEGIN
    UPDATE collection SET image_bytes = image_bytes + new.image_bytes - old.image_bytes
    WHERE id = new.collection;
  END;
  CREATE TRIGGER record_removed AFTER DELETE ON record BEGIN
    UPDATE collection SET records = records - 1, image_bytes = image_bytes - old.image_bytes
    WHERE id = old.collection;
  END;
  `,
  `
  CREATE TABLE job (
    id TEXT PRIMARY KEY,
    body TEXT NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT;
  `,
  `
  ALTER TABLE record ADD COLUMN expires_at INTEGER;
  CREATE INDEX record_expiry ON record (expires_at) WHERE expires_at IS NOT NULL;

  CREATE TABLE bulk_load (
    id INTEGER PRIMARY KEY,
    collection INTEGER NOT NULL REFERENCES collection (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    lines INTEGER NOT NULL,
    digest TEXT NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    completed INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (collection, key)
  ) STRICT;

  CREATE TABLE bulk_load_failure (
    load INTEGER NOT NULL REFERENCES bulk_load (id) ON DELETE CASCADE,
    line INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (load, line)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE classifier (
    name TEXT PRIMARY KEY,
    body TEXT NOT NULL,
    weights BLOB NOT NULL
  ) STRICT;
  `,
  `
  CREATE TABLE progress (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    commits INTEGER NOT NULL,
    at INTEGER,
    setback TEXT
  ) STRICT;
  INSERT INTO progress (id, commits) VALUES (1, 0);
  `,
  // Names of classifiers are of the collection that they were trained with.
  `
  UPDATE classifier SET name = (body ->> '$.collection') || '/' || name
  WHERE body ->> '$.collection' IS NOT NULL;
  `
]
