"""Evidence files: durable before they have their name, and whole or not there."""

import os
from hashlib import sha256
from pathlib import Path

import pytest

from edge.ledger.evidence import MAX_EVIDENCE_BYTES, EvidenceFiles

DATA = b"picture" * 1000
DIGEST = sha256(DATA).hexdigest()


@pytest.fixture
def files(tmp_path):
    files = EvidenceFiles(tmp_path / "evidence")
    files.prepare()
    return files


@pytest.fixture
def calls(monkeypatch):
    """What is asked of the disk, in order; `calls.fail` names the step that fails."""

    class Calls(list[str]):
        fail = ""

        def step(self, name):
            self.append(name)
            if name == self.fail:
                raise OSError(28, "No space left on device")

    calls = Calls()
    real_fsync, real_replace = os.fsync, Path.replace

    def fsync(descriptor):
        name = Path(f"/proc/self/fd/{descriptor}").readlink()
        folder = name.is_dir()
        calls.step(f"fsync {'folder ' if folder else ''}{name.name[:4]}")
        real_fsync(descriptor)

    def replace(path, target):
        calls.step(f"rename to {target.name[:4]}")
        return real_replace(path, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    return calls


ORDER = [
    f"fsync {DIGEST[:4]}",
    f"rename to {DIGEST[:4]}",
    f"fsync folder {DIGEST[:2]}",
    "fsync folder evid",
]


def test_a_file_is_stored_under_its_hash(files):
    ref = files.put(DATA, "image/jpeg", "clean")
    assert (ref.sha256, ref.size, ref.media_type, ref.caption) == (
        DIGEST,
        len(DATA),
        "image/jpeg",
        "clean",
    )
    assert files.path(DIGEST).read_bytes() == DATA


def test_content_is_durable_before_its_name_and_the_name_before_the_answer(files, calls):
    files.put(DATA, "image/jpeg", "")
    assert calls == ORDER


@pytest.mark.parametrize("step", ORDER)
def test_whichever_step_fails_the_caller_hears_it_and_a_second_try_does_all_that_is_left(
    files, calls, step
):
    calls.fail = step
    with pytest.raises(OSError, match="No space"):
        files.put(DATA, "image/jpeg", "")
    if files.path(DIGEST).exists():
        assert files.path(DIGEST).read_bytes() == DATA
    calls.fail = ""
    calls.clear()
    files.put(DATA, "image/jpeg", "")
    assert calls[-2:] == ORDER[-2:]
    assert files.path(DIGEST).read_bytes() == DATA


def test_a_file_that_is_there_is_not_written_again(files, calls):
    files.put(DATA, "image/jpeg", "")
    calls.clear()
    files.put(DATA, "image/jpeg", "again")
    assert calls == ORDER[-2:]


def test_a_file_of_another_length_under_that_name_is_replaced(files):
    files.put(DATA, "image/jpeg", "")
    files.path(DIGEST).write_bytes(b"short")
    files.put(DATA, "image/jpeg", "")
    assert files.path(DIGEST).read_bytes() == DATA


def test_what_a_crash_left_half_written_is_removed_at_the_start(files, tmp_path):
    left = tmp_path / "evidence" / "incoming" / DIGEST
    left.write_bytes(b"half")
    files.prepare()
    assert not left.exists()


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "A" * 64, "a" * 63, "a" * 64 + "/"])
def test_only_a_hash_names_a_file(files, digest):
    with pytest.raises(ValueError, match="not a SHA-256"):
        files.path(digest)


def test_evidence_has_a_largest_size(files):
    with pytest.raises(ValueError, match="too large"):
        files.put(bytes(MAX_EVIDENCE_BYTES + 1), "video/mp4", "")
