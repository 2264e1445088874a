"""What `eseal verify` says: short, however long the bundle."""

from __future__ import annotations

from edge.ledger.report import MAX_TOLD, Receipt, Report


def test_of_each_signer_the_receipt_that_covers_most_is_told_and_the_others_are_counted():
    report = Report(
        trusted="gateway",
        receipts=[
            Receipt(size, "province.example", unix_s)
            for size, unix_s in ((4, 1_750_000_000), (40, 1_750_000_060), (12, 1_750_000_030))
        ]
        + [Receipt(7, "somebody", None)],
    )
    text = report.text()
    assert "confirmed at 2025-06-15T15:07:40Z that it holds the first 40 records" in text
    assert "2 more receipts cover less." in text
    assert "另有 2 份覆盖较少的回执。" in text
    assert "first 12 records" not in text
    assert "somebody is said to have received the first 7 records" in text


def test_a_bundle_without_receipts_says_so():
    assert "There is no receipt by the province." in Report(trusted="gateway").text()


def test_missing_evidence_is_told_up_to_a_number():
    text = Report(missing=[f"{i:064x}" for i in range(50)]).text()
    assert text.count("  missing ") == MAX_TOLD
    assert "没有上级平台回执" in text
    assert "No record was read" in text


def test_many_runs_are_told_up_to_a_number():
    report = Report(hashed=[(i, i) for i in range(0, 100, 2)])
    assert report.text().count("hash only:") == MAX_TOLD
