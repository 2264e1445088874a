"""SQLite's errors in our words, and files of other versions."""

import sqlite3

import pytest

from edge.errors import ConfigError, LedgerCorrupt, StorageFull
from edge.ledger.schema import FILE_NAME, connect_reader, explain, rollback, told
from edge.ledger.store import LedgerView
from tests.ledger.support import WAIT_S, draft, tamper


def sqlite_error(code: int) -> sqlite3.Error:
    error = sqlite3.OperationalError("what SQLite says")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (sqlite3.SQLITE_FULL, StorageFull, "no space is left"),
        (sqlite3.SQLITE_IOERR, StorageFull, "the disk failed"),
        (sqlite3.SQLITE_IOERR_FSYNC, StorageFull, "the disk failed"),
        (sqlite3.SQLITE_READONLY, StorageFull, "cannot be written"),
        (sqlite3.SQLITE_CANTOPEN, StorageFull, "cannot be written"),
        (sqlite3.SQLITE_BUSY, StorageFull, "another program"),
        (sqlite3.SQLITE_CORRUPT, LedgerCorrupt, "damaged"),
        (sqlite3.SQLITE_NOTADB, LedgerCorrupt, "damaged"),
    ],
)
def test_each_error_of_sqlite_says_what_it_means_here(tmp_path, code, kind, words):
    with pytest.raises(kind, match=words) as caught, told(tmp_path):
        raise sqlite_error(code)
    assert str(tmp_path) in str(caught.value)
    assert "what SQLite says" in str(caught.value)


def test_text_that_is_no_text_is_damage(tmp_path):
    with pytest.raises(LedgerCorrupt), told(tmp_path):
        b"\xff".decode()
    connection = sqlite3.connect(":memory:")
    with pytest.raises(LedgerCorrupt, match="UTF-8"), told(tmp_path):
        connection.execute("SELECT CAST(x'ff' AS TEXT)").fetchone()
    connection.close()


def test_a_failing_system_call_is_told_as_the_disk_s(tmp_path):
    with pytest.raises(StorageFull, match="Input/output"), told(tmp_path):
        raise OSError(5, "Input/output error")


def test_a_bug_of_ours_stays_what_it_is(tmp_path):
    assert explain(sqlite3.ProgrammingError("closed"), tmp_path) is None
    with pytest.raises(sqlite3.ProgrammingError), told(tmp_path):
        raise sqlite3.ProgrammingError("closed")


def test_rolling_back_needs_no_transaction(tmp_path):
    connection = sqlite3.connect(tmp_path / "db", isolation_level=None)
    rollback(connection)
    connection.execute("BEGIN")
    rollback(connection)
    assert not connection.in_transaction
    connection.close()
    rollback(connection)


def test_a_ledger_of_a_newer_version_is_left_alone(ledger, opener, directory):
    ledger.close()
    tamper(
        directory,
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
        " VALUES ('eseal-ledger', 'of_tomorrow', '')",
    )
    with pytest.raises(ConfigError, match="newer version"):
        opener()
    with pytest.raises(ConfigError, match="newer version"):
        LedgerView.open(directory)


def test_a_view_does_not_change_a_ledger_of_an_older_version(ledger, directory):
    ledger.close()
    tamper(directory, "DELETE FROM _sqlite_migrations")
    with pytest.raises(ConfigError, match="older version"):
        LedgerView.open(directory)


def test_a_ledger_that_was_closed_in_order_is_readable_where_nothing_can_be_made(
    ledger, directory, monkeypatch
):
    ledger.submit([draft()]).result(WAIT_S)
    ledger.close()
    real = sqlite3.connect

    def reluctant(database, **options):
        if "immutable" not in str(database):
            raise sqlite_error(sqlite3.SQLITE_CANTOPEN)
        return real(database, **options)

    monkeypatch.setattr(sqlite3, "connect", reluctant)
    connection = connect_reader(directory)
    assert connection.execute("SELECT count(*) FROM leaf").fetchone() == (1,)
    connection.close()


def test_a_ledger_with_an_unread_wal_is_not_read_without_it(ledger, directory, monkeypatch):
    ledger.submit([draft()]).result(WAIT_S)
    assert (directory / f"{FILE_NAME}-wal").stat().st_size

    def reluctant(_uri, **_options):
        raise sqlite_error(sqlite3.SQLITE_CANTOPEN)

    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", reluctant)
        with pytest.raises(StorageFull, match="cannot be written"):
            connect_reader(directory)


def test_a_list_of_versions_without_its_columns_is_damage(ledger, opener, directory):
    ledger.close()
    tamper(directory, "DELETE FROM _sqlite_migrations")
    connection = sqlite3.connect(directory / FILE_NAME)
    connection.execute("DROP INDEX idx__sqlite_migrations_migration_set_name")
    connection.execute("ALTER TABLE _sqlite_migrations RENAME COLUMN name TO nome")
    connection.execute("INSERT INTO _sqlite_migrations VALUES (1, 'eseal-ledger', 'x', '')")
    connection.commit()
    connection.close()
    for look in (opener, lambda: LedgerView.open(directory)):
        with pytest.raises(LedgerCorrupt, match="list of versions"):
            look()


def test_a_file_that_is_no_database_cannot_be_viewed(tmp_path):
    (tmp_path / FILE_NAME).write_bytes(b"garbage " * 1000)
    with pytest.raises(LedgerCorrupt, match="not a database"):
        LedgerView.open(tmp_path)
