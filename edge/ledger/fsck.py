"""`eseal fsck`: the whole ledger against itself, its signatures and its evidence; read-only.

What cannot be read is stepped over and named, so that one bad page does not hide the rest. Works
beside the daemon: everything is judged up to the size that the ledger has at the beginning, and
what retention takes meanwhile is looked up again before it is called missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from hashlib import file_digest
from pathlib import Path

from edge.clock import Stamp
from edge.domain.record import RecordType
from edge.errors import ConfigError, EsealError, LedgerCorrupt, Refused
from edge.ledger.checkpoint import Verifier
from edge.ledger.evidence import EvidenceFiles
from edge.ledger.fsck_heads import check_cursors, check_heads, check_receipts
from edge.ledger.leaf import evidence_of, parse_leaf
from edge.ledger.lineage import Lineage
from edge.ledger.merkle import leaf_hash, node_hash
from edge.ledger.reader import EVIDENCE_DIRECTORY
from edge.ledger.schema import check_version, connect_reader, told
from edge.ledger.survey import (
    PAGE,
    Findings,
    Progress,
    Row,
    Runs,
    Survey,
    Unreadable,
    rows,
    stepping_over,
)

_CHECKED_BY_SQLITE = 100


def fsck(directory: Path, keys: Sequence[Verifier], progress: Progress) -> Findings:
    """Check the ledger in `directory`.

    Args:
        directory: the ledger's.
        keys: the province's public keys; without any the receipts' signatures are not checked.
        progress: told of each stage how much is done.

    Raises:
        ConfigError: there is no ledger, or one of another version.
        StorageFull: it cannot be read at all now.
    """
    try:
        connection = connect_reader(directory)
    except EsealError as error:
        return _hopeless(error)
    with closing(connection):
        survey = Survey(directory, connection)
        with closing(survey.named):
            if not _has_tables(survey):
                return survey.found
            _sqlite(survey, progress)
            _identity(survey)
            _leaves(survey, progress)
            _nodes(survey, progress)
            check_heads(survey, progress)
            check_receipts(survey, keys, progress)
            check_cursors(survey)
            _evidence(survey, progress)
    return survey.found


def _hopeless(error: EsealError) -> Findings:
    """Damage that lets nothing be read is a finding; that there is nothing to read is not."""
    if not isinstance(error, LedgerCorrupt):
        raise error
    findings = Findings()
    findings.fault("账本文件无法读取，记录不可恢复", str(error))
    return findings


def _has_tables(survey: Survey) -> bool:
    """Whether there is anything to check. Raises ConfigError for another version's file."""
    tables: set[str] = set()
    with stepping_over(survey, "数据库目录", "list of tables"):
        query = "SELECT name FROM sqlite_master WHERE type = 'table'"
        tables = {name for (name,) in survey.connection.execute(query)}
    if not {"leaf", "node"} & tables:
        survey.found.fault("账本是空文件，记录全部缺失", "the file holds no ledger; all is missing")
        return False
    try:
        with told(survey.directory):
            check_version(survey.connection, survey.directory)
    except EsealError as error:
        if isinstance(error, ConfigError) and not tables >= {"pruned", "evidence"}:
            raise
        survey.found.fault("账本的版本信息损坏", f"its list of versions is damaged ({error})")
    return True


def _sqlite(survey: Survey, progress: Progress) -> None:
    """SQLite's own check: pages, cells, and every index against its table."""
    stage = ("数据库结构", "database structure")
    progress(stage, 0, 1)
    with stepping_over(survey, *stage):
        for (line,) in survey.connection.execute(f"PRAGMA integrity_check({_CHECKED_BY_SQLITE})"):
            if line != "ok":
                survey.found.fault(f"数据库结构损坏：{line}", f"SQLite: {line}")
    progress(stage, 1, 1)


def _identity(survey: Survey) -> None:
    found = survey.found
    found.origin = str(survey.value("SELECT value FROM meta WHERE key = 'origin'", ""))
    survey.lineage = Lineage(found.origin)
    if not found.origin:
        found.fault("账本没有说明属于谁", "it does not say its origin")
    found.size = max(
        _natural(survey.value("SELECT max(idx) FROM leaf", -1)) + 1,
        _natural(survey.value("SELECT max(pos) FROM node WHERE level = 0", -1)) + 1,
    )
    signed = _natural(survey.value("SELECT max(size) FROM checkpoint", 0))
    if signed > found.size:
        found.fault(
            f"末尾缺 {signed - found.size} 条：已签名 {signed} 条，现有 {found.size} 条",
            f"the last {signed - found.size} records are missing: {signed} were signed",
        )


def _leaves(survey: Survey, progress: Progress) -> None:
    """Every leaf against its hash, and what it is filed under against what it says."""
    stage = ("记录", "records")
    found, missing, changed, misfiled = survey.found, Runs(), Runs(), Runs()
    unreadable = Runs()
    leaves = rows(survey.connection, "leaf, lane, type, wall_us", "leaf", 0, found.size, key="idx")
    hashes = _hashes(survey, 0, found.size)
    for (index, row), (_index, node) in zip(leaves, hashes, strict=True):
        if index % PAGE == 0:
            progress(stage, index, found.size)
        if isinstance(row, Unreadable):
            unreadable.add(index)
        elif row is None:
            if survey.is_pruned(index):
                found.pruned += 1
            else:
                missing.add(index)
        elif not _is_hash(node, row[0]):
            changed.add(index)
        elif not _is_filed_right(survey, index, row):
            misfiled.add(index)
        else:
            found.whole += 1
    for kind, chinese, english in (
        (unreadable, "读不出", "cannot be read"),
        (missing, "缺失", "are missing"),
        (changed, "与哈希不符", "do not have their hash"),
        (misfiled, "归档的位置、通道、类型或时间不符", "are filed under another place or kind"),
    ):
        if kind.count:
            found.fault(
                f"{kind.count} 条记录{chinese}：{kind}", f"{kind.count} records {english}: {kind}"
            )
    progress(stage, found.size, found.size)


def _is_hash(node: Row | Unreadable | None, leaf: object) -> bool:
    return isinstance(node, tuple) and isinstance(leaf, bytes) and node[0] == leaf_hash(leaf)


def _is_filed_right(survey: Survey, index: int, row: Row) -> bool:
    leaf, lane, kind, wall_us = row
    try:
        envelope = parse_leaf(leaf, survey.found.origin, index)
        time = Stamp(wall_us, 0, "").iso()
    except (Refused, ValueError, OverflowError, OSError, TypeError):
        return False
    for digest in evidence_of(envelope):
        survey.named.execute(
            "INSERT INTO named VALUES (?, ?) ON CONFLICT DO NOTHING", (bytes.fromhex(digest), index)
        )
    said = tuple(envelope.get(name) for name in ("lane", "type", "time"))
    if kind == RecordType.KEY_ROTATED:
        try:
            survey.lineage.take(index, envelope["data"])
        except (Refused, TypeError) as error:
            survey.found.fault(f"第 {index} 条更换密钥，签名不成立", str(error))
    return said == (lane, kind, time)


def _nodes(survey: Survey, progress: Progress) -> None:
    """Every inner node against the two below it."""
    stage = ("哈希树", "hash tree")
    found, level, done = survey.found, 0, 0
    wrong: list[str] = []
    count = 0
    total = sum(found.size >> level for level in range(found.size.bit_length()))
    for level in range(1, found.size.bit_length()):
        width = found.size >> level
        below, nodes = _hashes(survey, level - 1, 2 * width), _hashes(survey, level, width)
        for position, node in nodes:
            (_left, left), (_right, right) = next(below), next(below)
            if not _fits(node, left, right):
                count += 1
                wrong += [f"{level}/{position}"] * (len(wrong) < 20)
            done += 1
            if done % PAGE == 0:
                progress(stage, done, total)
    if count:
        listed = ", ".join(wrong)
        found.fault(
            f"哈希树 {count} 个节点不符：{listed}", f"{count} tree nodes do not fit: {listed}"
        )
    stored = survey.value(
        "SELECT count(*) FROM node WHERE level > 60 OR level < 0 OR pos < 0"
        " OR ((pos + 1) << level) <= ?",
        -1,
        found.size,
    )
    if stored != total:
        found.fault(
            f"哈希树应有 {total} 个节点，实有 {stored} 个",
            f"the tree should have {total} nodes and has {stored}",
        )
    progress(stage, total, total)


def _hashes(
    survey: Survey, level: int, width: int
) -> Iterator[tuple[int, Row | Unreadable | None]]:
    return rows(
        survey.connection, "hash", "node", 0, width, key="pos", where=f"AND level = {level}"
    )


def _fits(*nodes: Row | Unreadable | None) -> bool:
    hashes = [node[0] for node in nodes if isinstance(node, tuple) and isinstance(node[0], bytes)]
    return len(hashes) == 3 and hashes[0] == node_hash(hashes[1], hashes[2])


def _evidence(survey: Survey, progress: Progress) -> None:
    """Every file that a record names, and those that none names."""
    stage = ("证据文件", "evidence")
    found, files = survey.found, EvidenceFiles(survey.directory / EVIDENCE_DIRECTORY)
    (total,) = survey.named.execute("SELECT count(*) FROM named").fetchone()
    for done, (raw, index) in enumerate(survey.named.execute("SELECT digest, idx FROM named")):
        progress(stage, done, total)
        digest = raw.hex()
        try:
            with files.path(digest).open("rb") as file:
                right = file_digest(file, "sha256").digest() == raw
        except FileNotFoundError:
            query = "SELECT gone_us FROM evidence WHERE digest = ?"
            if survey.value(query, None, raw) is not None:
                found.gone += 1
            else:
                found.fault(
                    f"证据 {digest} 缺失（第 {index} 条记录）",
                    f"evidence {digest} is missing (named by record {index})",
                )
        except OSError as error:
            found.fault(f"证据 {digest} 读不出", f"{digest} cannot be read ({error.strerror})")
        else:
            found.evidence += right
            if not right:
                found.fault(
                    f"证据 {digest} 被改动（第 {index} 条记录）",
                    f"evidence {digest} was changed (named by record {index})",
                )
    with suppress(OSError):
        for folder in files.folders():
            for name, _size, _touched in files.list(folder):
                query = "SELECT 1 FROM named WHERE digest = ?"
                known = survey.named.execute(query, (bytes.fromhex(name),)).fetchone()
                found.unnamed += known is None
    progress(stage, total, total)


def _natural(value: object) -> int:
    return value if isinstance(value, int) and 0 <= value < 2**53 else -1
