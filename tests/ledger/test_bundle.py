"""The tar: plain for everybody's tools, rigid for ours."""

import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import EsealError, Refused
from edge.ledger import bundle
from edge.ledger.bundle import END, BundleReader, BundleWriter, header, padding


def written(*members: tuple[str, bytes]) -> bytes:
    file = io.BytesIO()
    writer = BundleWriter(file)
    for name, data in members:
        writer.add(name, data)
    writer.finish("origin", 0, 1)
    return file.getvalue()


def read_all(data: bytes) -> list[tuple[str, bytes]]:
    reader = BundleReader(io.BytesIO(data))
    members = []
    while reader.name:
        members.append((reader.name, reader.read(10**6)))
    return members


WHOLE = written(("checkpoint", b"note"), ("records/0.jsonl", b"x" * 700))


def test_what_is_written_reads_back():
    members = read_all(WHOLE)
    assert members[:2] == [("checkpoint", b"note"), ("records/0.jsonl", b"x" * 700)]
    assert members[2][0] == "manifest.json"


def test_anybodys_tar_can_read_it():
    with tarfile.open(fileobj=io.BytesIO(WHOLE)) as tar:
        assert tar.getnames() == ["checkpoint", "records/0.jsonl", "manifest.json"]
        assert tar.extractfile("checkpoint").read() == b"note"  # type: ignore[union-attr]


@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 255))
def test_no_byte_can_change_without_a_refusal_or_another_content(place, change):
    changed = bytearray(WHOLE)
    changed[place] ^= change
    try:
        members = read_all(bytes(changed))
    except Refused:
        return
    assert members != read_all(WHOLE)


@given(st.integers(0, len(WHOLE) - 1))
def test_a_bundle_that_was_cut_is_refused(length):
    with pytest.raises(Refused):
        read_all(WHOLE[:length])


@given(st.binary(min_size=1, max_size=600))
def test_nothing_may_follow_the_end(more):
    with pytest.raises(Refused, match="after the end"):
        read_all(WHOLE + more)


@given(st.binary(max_size=2000))
def test_garbage_is_refused_and_nothing_else_is_raised(data):
    with pytest.raises(Refused):
        read_all(data)


def special(**fields) -> bytes:
    info = tarfile.TarInfo("evidence/x")
    for name, value in fields.items():
        setattr(info, name, value)
    return info.tobuf(tarfile.GNU_FORMAT) + END


@pytest.mark.parametrize(
    "data",
    [
        special(type=tarfile.SYMTYPE, linkname="/etc/passwd"),
        special(type=tarfile.LNKTYPE, linkname="checkpoint"),
        special(type=tarfile.DIRTYPE),
        special(type=tarfile.CHRTYPE),
        special(mode=0o777),
        special(mtime=1),
        special(uname="root"),
        special(name="x" * 300),
        special(size=8**12),
        header("", 0) + END,
        header("\u4e95", 0) + END,
    ],
)
def test_only_plain_files_are_members(data):
    with pytest.raises(Refused):
        read_all(data)


def test_a_member_that_is_larger_than_it_may_be_is_not_read():
    reader = BundleReader(io.BytesIO(header("x", 8**11 - 1)))
    with pytest.raises(Refused, match="more than the 10"):
        reader.read(10)


def test_the_number_of_members_is_bounded_on_both_sides(monkeypatch):
    many = written(*((f"m{i}", b"") for i in range(5)))
    monkeypatch.setattr(bundle, "MAX_MEMBERS", 3)
    with pytest.raises(Refused, match="more than 3 members"):
        read_all(many)
    with pytest.raises(EsealError, match="--start"):
        written(*((f"m{i}", b"") for i in range(5)))


def test_a_file_that_shrinks_while_it_is_copied_is_an_error():
    with pytest.raises(OSError, match="shorter"):
        BundleWriter(io.BytesIO()).copy("evidence/x", 10, "", io.BytesIO(b"short"))


def test_padding_goes_to_the_next_block():
    assert [len(padding(size)) for size in (0, 1, 511, 512, 513)] == [0, 511, 1, 0, 511]
