from __future__ import annotations

from edge.uplink.limits import Bucket


def test_a_bucket_gives_what_it_holds_and_then_what_it_gains() -> None:
    bucket = Bucket(3, 0.5)
    assert [bucket.take(100.0) for _ in range(4)] == [True, True, True, False]
    assert not bucket.take(101.0)
    assert bucket.take(102.0)
    assert not bucket.take(102.0)


def test_a_bucket_never_holds_more_than_its_size() -> None:
    bucket = Bucket(2, 10.0)
    assert [bucket.take(1e6) for _ in range(3)] == [True, True, False]


def test_time_that_runs_backwards_gives_nothing() -> None:
    bucket = Bucket(1, 1.0)
    assert bucket.take(50.0)
    assert not bucket.take(10.0)
    assert not bucket.take(10.5)
