"""Verification: whatever is changed in a bundle, it does not pass."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.errors import Refused
from edge.ledger.checkpoint import Signer
from edge.ledger.verify import verify
from tests.ledger.bundles import GONE, packed, replaced, said
from tests.ledger.support import ORIGIN


def test_an_untouched_bundle_is_sound_and_says_what_it_shows(pristine, check):
    report = check(pristine)
    assert report.sound
    assert (report.origin, report.start, report.read, report.size) == (ORIGIN, 3, 10, 13)
    assert report.first_time < report.last_time
    assert [(r.size, r.name, r.unix_s) for r in report.receipts] == [
        (13, "province.example", 1_750_000_060),
        (5, "province.example", 1_750_000_000),
    ]
    assert report.evidence == 1
    assert report.missing == [GONE]
    text = report.text()
    for words in ("可信", "Verdict: sound", "2025-06-15T15:07:40Z", "missing " + GONE):
        assert words in text


def test_packing_again_gives_the_same_bytes(pristine, members):
    assert packed(members) == pristine


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_changed_byte_is_noticed(pristine, check, data):
    place = data.draw(st.integers(0, len(pristine) - 1))
    changed = bytearray(pristine)
    changed[place] ^= data.draw(st.integers(1, 255))
    assert check(bytes(changed)).sound is False
    assert check(bytes(changed), []).problems


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_changed_byte_is_noticed_though_the_forger_mends_the_manifest(members, check, data):
    names = sorted(set(members) - {"manifest.json"})
    name = data.draw(st.sampled_from(names))
    changed = bytearray(members[name])
    changed[data.draw(st.integers(0, len(changed) - 1))] ^= data.draw(st.integers(1, 255))
    report = check(replaced(members, name, bytes(changed)))
    if report.sound:  # a receipt may be made worthless, as it may be left out, but not another
        assert name.startswith("receipts/")
        genuine = check(members).receipts
        assert all(receipt in genuine for receipt in report.receipts if receipt.unix_s)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=3000))
def test_garbage_is_not_sound_and_nothing_is_raised(check, data):
    assert "NOT sound" in said(check(data))


def test_without_a_trusted_key_nothing_is_sound(pristine, check, province):
    for keys in ([], [str(province.verifier)]):
        report = check(pristine, keys)
        assert not report.problems
        assert "NOT established" in said(report)
        assert report.vkey in report.text()
    assert "its key was not given" in check(pristine, []).text()


def test_a_strangers_signature_under_our_name_is_noticed(pristine, check):
    report = check(pristine, [str(Signer.generate(ORIGIN).verifier)])
    assert "not signed by the key given" in said(report)


def test_a_key_under_another_name_vouches_for_nothing(pristine, check, signer):
    alias = Signer("alias", signer._private)
    assert "NOT established" in said(check(pristine, [str(alias.verifier)]))


def test_a_key_may_be_given_as_a_file(pristine, check, tmp_path, signer):
    path = tmp_path / "gateway.vkey"
    path.write_text(f"{signer.verifier}\n")
    assert check(pristine, [str(path)]).sound


@pytest.mark.parametrize("key", ["", "garbage", "/", "/nowhere", "a\0b", "x" * 5000])
def test_what_is_no_key_is_refused(pristine, check, key):
    with pytest.raises(Refused):
        check(pristine, [key])


def test_a_file_that_holds_no_key_is_refused(pristine, check, tmp_path):
    (tmp_path / "vkey").write_bytes(b"\xff")
    with pytest.raises(Refused, match="public key"):
        check(pristine, [str(tmp_path / "vkey")])


def test_a_bundle_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(Refused, match="cannot be read"):
        verify(tmp_path / "absent.tar", [])


def test_a_key_in_the_bundle_that_is_not_the_signers_is_noticed(members, check):
    other = f"{Signer.generate(ORIGIN).verifier}\n".encode()
    assert "not the one that signed" in said(check(replaced(members, "gateway.vkey", other)))
    assert "signature is not valid" in said(check(replaced(members, "gateway.vkey", other), []))


def test_the_bundles_key_stands_alone_on_its_line(members, check):
    line = members["gateway.vkey"]
    for changed in (b" " + line, line[:-1], line + b" ", line + b"\n"):
        assert "not one line with a key" in said(check(replaced(members, "gateway.vkey", changed)))
