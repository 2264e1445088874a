"""The ledger's SQLite file: its tables, its connections, and what its errors mean.

Rows of `leaf` and `node` are only ever added; retention takes out leaves, never nodes. A
checkpoint and the leaves it covers are in the file before anybody hears of them (WAL with
`synchronous=FULL`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from sqlite_utils import Database, Migrations

from edge.errors import ConfigError, EsealError, Fault, LedgerCorrupt, StorageFull

FILE_NAME = "ledger.db"
BUSY_S = 5.0

_FIRST_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE leaf (
    idx INTEGER PRIMARY KEY, lane TEXT NOT NULL, type TEXT NOT NULL, wall_us INTEGER NOT NULL,
    leaf BLOB NOT NULL
) STRICT;
CREATE INDEX leaf_by_lane ON leaf (lane, idx);
CREATE INDEX leaf_by_type ON leaf (type, idx);
CREATE TABLE node (
    level INTEGER NOT NULL, pos INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (level, pos)
) STRICT, WITHOUT ROWID;
CREATE TABLE checkpoint (
    size INTEGER PRIMARY KEY, wall_us INTEGER NOT NULL, note BLOB NOT NULL
) STRICT;
CREATE TABLE receipt (
    id INTEGER PRIMARY KEY, size INTEGER NOT NULL, wall_us INTEGER NOT NULL, note BLOB NOT NULL,
    UNIQUE (size, note)
) STRICT;
CREATE TABLE cursor (name TEXT PRIMARY KEY, idx INTEGER NOT NULL) STRICT
"""

# Runs of leaves whose bytes were let go, and every evidence file that a record named.
_RETENTION_TABLES = """
CREATE TABLE pruned (first INTEGER PRIMARY KEY, last INTEGER NOT NULL) STRICT;
CREATE TABLE evidence (
    digest BLOB PRIMARY KEY, idx INTEGER NOT NULL, wall_us INTEGER NOT NULL, gone_us INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX evidence_by_idx ON evidence (idx) WHERE gone_us IS NULL
"""

migrations = Migrations("eseal-ledger")


@migrations()
def first_tables(db: Database) -> None:
    """Leaves, perfect tree nodes, signed heads, receipts, cursors."""
    for statement in _FIRST_TABLES.split(";"):
        db.execute(statement)


@migrations()
def retention_tables(db: Database) -> None:
    """What retention let go of, and which record last named which evidence."""
    for statement in _RETENTION_TABLES.split(";"):
        db.execute(statement)


_UNWRITABLE = {
    sqlite3.SQLITE_FULL: "no space is left",
    sqlite3.SQLITE_READONLY: "it cannot be written",
    sqlite3.SQLITE_PERM: "it cannot be written",
    sqlite3.SQLITE_CANTOPEN: "it cannot be written",
    sqlite3.SQLITE_IOERR: "the disk failed",
    sqlite3.SQLITE_BUSY: "another program holds it",
    sqlite3.SQLITE_LOCKED: "another program holds it",
}
_DAMAGED = {
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_ERROR,  # our statements are fixed: the file's tables are not ours any more
    sqlite3.SQLITE_MISMATCH,
}
_KNOWN = frozenset({first_tables.__name__, retention_tables.__name__})


def connect_writer(directory: Path) -> sqlite3.Connection:
    """The one connection that writes; transactions are begun by hand.

    Raises:
        sqlite3.Error: run it inside `told`.
    """
    connection = sqlite3.connect(
        directory / FILE_NAME, timeout=BUSY_S, isolation_level=None, check_same_thread=False
    )
    try:
        if connection.execute("PRAGMA page_count").fetchone() == (0,):
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")  # later it would be too late
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA cell_size_check=ON")
        connection.execute("PRAGMA journal_size_limit=67108864")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def migrate(directory: Path) -> None:
    """Bring the file to this version's tables. Raises as `told` does; ConfigError if newer."""
    with told(directory), closing(connect_writer(directory)) as connection:
        db = _database(connection)
        _refuse_unknown(db, directory)
        migrations.apply(db)


def connect_reader(directory: Path) -> sqlite3.Connection:
    """A connection that cannot write.

    Raises:
        ConfigError: there is no ledger, or one of another version.
        StorageFull, LedgerCorrupt: as `told`.
    """
    path = directory / FILE_NAME
    if not path.is_file():
        raise ConfigError(
            [Fault("storage.dir", f"{directory} holds no ledger", "let `eseal run` make one")]
        )
    with told(directory):
        try:
            return _reader(path, "mode=ro")
        except sqlite3.OperationalError:
            # Where we may not make the WAL's index file (foreign medium, other user) a ledger
            # that was closed in order can still be read: nothing changes it.
            wal = path.with_name(FILE_NAME + "-wal")
            if wal.exists() and wal.stat().st_size:
                raise
            return _reader(path, "mode=ro&immutable=1")


def _reader(path: Path, options: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?{options}",
        uri=True,
        timeout=BUSY_S,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        connection.execute("PRAGMA query_only=ON")
        connection.execute("SELECT count(*) FROM sqlite_master")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def check_version(connection: sqlite3.Connection, directory: Path) -> None:
    """Refuse a file whose tables are not this version's. Raises ConfigError."""
    db = _database(connection)
    _refuse_unknown(db, directory)
    if migrations.pending(db):
        raise ConfigError(
            [Fault(str(directory), "holds a ledger of an older version", "start `eseal run` once")]
        )


def _database(connection: sqlite3.Connection) -> Database:
    # Plugins that happen to be installed have no business in the ledger.
    return Database(connection, recursive_triggers=False, execute_plugins=False)


def _refuse_unknown(db: Database, directory: Path) -> None:
    try:
        applied = {item.name for item in migrations.applied(db)}
    except KeyError as error:
        raise corrupt(directory, f"its list of versions is damaged ({error})") from error
    if applied - _KNOWN:
        raise ConfigError(
            [Fault(str(directory), "holds a ledger of a newer version", "install that version")]
        )


@contextmanager
def told(directory: Path) -> Iterator[None]:
    """Turn SQLite's and the system's errors into ours; any other error passes.

    Raises:
        StorageFull: the disk is full, read-only or failing, or another program holds the file.
        LedgerCorrupt: the file is damaged.
    """
    try:
        yield
    except sqlite3.Error as error:
        ours = explain(error, directory)
        if ours is None:
            raise
        raise ours from error
    except UnicodeDecodeError as error:  # a damaged schema makes SQLite say what is no text
        raise corrupt(directory, "SQLite finds it damaged") from error
    except OSError as error:
        raise cannot_write(directory, error.strerror or str(error)) from error


def explain(error: sqlite3.Error, directory: Path) -> EsealError | None:
    """What an SQLite error means to whoever runs the gateway; None if it is a bug of ours."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _UNWRITABLE:
        return cannot_write(directory, f"{_UNWRITABLE[code]} ({error})")
    undecodable = code == 0 and isinstance(error, sqlite3.OperationalError)  # text, not UTF-8
    if code in _DAMAGED or undecodable:
        return corrupt(directory, f"SQLite finds it damaged ({error})")
    return None


def cannot_write(directory: Path, why: str) -> StorageFull:
    """The disk takes nothing: where, why, what to do."""
    return StorageFull(
        f"{directory}: {why}. Nothing that was acknowledged is lost. Free space on that "
        "file-system or make it writable; work goes on by itself"
    )


def corrupt(directory: Path, what: str) -> LedgerCorrupt:
    """The ledger contradicts itself: what, and how to recover."""
    return LedgerCorrupt(
        f"{directory}: {what}. Change nothing there by hand; `eseal fsck` says what is missing. "
        "The next start of `eseal run` sets the damaged files aside under epochs/ and goes on in "
        "a new epoch, unless it did so within the last hour: then replace the disk. The province "
        "holds everything up to its newest receipt"
    )


def rollback(connection: sqlite3.Connection) -> None:
    """End a failed transaction, if SQLite has not done so itself."""
    with suppress(sqlite3.Error):
        if connection.in_transaction:
            connection.execute("ROLLBACK")
