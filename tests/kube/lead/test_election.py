"""The rules of the election, by clocks that never agree."""

from __future__ import annotations

from dataclasses import replace

import pytest

from wardgate.kube.api.owner import Owner
from wardgate.kube.lead.election import DURATION, GIVE_UP, Election, LeaseRecord, Move, lease_manifest, read_lease

OTHER = LeaseRecord(holder="other", version="7", transitions=3, acquired="2025-01-01T00:00:00.000000Z")
WALL = 1_800_000_000.25


def leading(*, since: float = 100.0) -> Election:
    """An election that we won."""
    election = Election("us")
    election.observe(LeaseRecord(), since)
    election.wrote(replace(election.claim(WALL), version="1"), began=since)
    return election


class TestTaking:
    def test_lease_that_does_not_exist_is_taken(self) -> None:
        assert Move.TAKE is Election("us").observe(LeaseRecord(), 100.0)

    def test_lease_that_was_set_free_is_taken_at_once(self) -> None:
        election = Election("us")
        election.observe(OTHER, 100.0)
        assert Move.TAKE is election.observe(replace(OTHER, holder="", version="8"), 100.5)

    def test_lease_of_another_is_waited_for(self) -> None:
        election = Election("us")
        assert Move.WAIT is election.observe(OTHER, 100.0)
        assert Move.WAIT is election.observe(OTHER, 100.0 + DURATION - 0.1)

    def test_lease_that_does_not_change_for_ten_seconds_is_taken(self) -> None:
        election = Election("us")
        election.observe(OTHER, 100.0)
        assert Move.TAKE is election.observe(OTHER, 100.0 + DURATION)

    def test_every_renewal_starts_the_wait_anew(self) -> None:
        election = Election("us")
        election.observe(OTHER, 100.0)
        election.observe(replace(OTHER, version="8"), 109.0)
        assert Move.WAIT is election.observe(replace(OTHER, version="8"), 118.0)

    def test_newcomer_waits_the_whole_time_whatever_the_lease_says(self) -> None:
        assert Move.WAIT is Election("us").observe(replace(OTHER, acquired="1999-01-01T00:00:00.000000Z"), 5.0)


class TestLeading:
    def test_write_that_succeeded_lets_us_write_for_seven_seconds_from_its_beginning(self) -> None:
        election = leading(since=100.0)
        assert GIVE_UP == election.remaining(100.0)
        assert election.remaining(106.9) > 0
        assert election.remaining(107.0) == 0

    def test_we_have_given_up_before_anybody_may_take_over(self) -> None:
        assert GIVE_UP < DURATION

    def test_nobody_leads_before_the_first_write(self) -> None:
        election = Election("us")
        election.observe(LeaseRecord(), 100.0)
        assert election.remaining(100.0) == 0

    def test_lease_with_our_name_is_renewed(self) -> None:
        election = leading()
        assert Move.RENEW is election.observe(election.record, 102.0)

    def test_lease_with_our_name_alone_lets_nobody_write(self) -> None:
        election = Election("us")
        assert Move.RENEW is election.observe(replace(OTHER, holder="us"), 100.0)
        assert election.remaining(100.0) == 0

    def test_another_name_ends_it_at_once(self) -> None:
        election = leading(since=100.0)
        assert Move.WAIT is election.observe(OTHER, 101.0)
        assert election.remaining(101.0) == 0

    def test_giving_up_ends_it_at_once(self) -> None:
        election = leading(since=100.0)
        election.give_up()
        assert (0.0, True) == (election.remaining(100.0), election.is_ours)


class TestWriting:
    def test_first_claim_counts_no_change_of_holders(self) -> None:
        election = Election("us")
        election.observe(LeaseRecord(), 100.0)
        assert LeaseRecord("us", "", 0, "2027-01-15T08:00:00.250000Z") == election.claim(WALL)

    def test_claim_of_anothers_lease_counts_one(self) -> None:
        election = Election("us")
        election.observe(OTHER, 100.0)
        assert LeaseRecord("us", "7", 4, "2027-01-15T08:00:00.250000Z") == election.claim(WALL)

    def test_renewal_keeps_since_when_and_how_often(self) -> None:
        election = leading()
        assert election.record == election.claim(WALL + 50)

    def test_lease_of_an_installation_before_this_one_is_free(self) -> None:
        election, gone = Election("us", owner="this"), replace(OTHER, owner="gone")
        assert Move.TAKE is election.observe(gone, 100.0)
        assert "this" == election.claim(WALL).owner

    @pytest.mark.parametrize(("ours", "theirs"), [("this", "this"), ("this", ""), ("", "theirs")])
    def test_lease_of_the_same_or_an_unknown_account_is_held(self, ours: str, theirs: str) -> None:
        assert Move.WAIT is Election("us", owner=ours).observe(replace(OTHER, owner=theirs), 100.0)

    def test_lease_names_its_owner(self) -> None:
        record = replace(OTHER, owner="uid")
        manifest = lease_manifest(record, namespace="wardgate", name="n", wall=WALL, owner=Owner("account", "uid"))
        assert record == read_lease(manifest)

    def test_resignation_leaves_an_empty_name(self) -> None:
        assert replace(leading().record, holder="") == leading().resignation()

    @pytest.mark.parametrize("record", [OTHER, replace(OTHER, holder=""), replace(OTHER, acquired="")])
    def test_lease_reads_as_it_was_written(self, record: LeaseRecord) -> None:
        assert record == read_lease(lease_manifest(record, namespace="wardgate", name="wardgate-operator", wall=WALL))

    def test_new_lease_has_no_precondition(self) -> None:
        manifest = lease_manifest(LeaseRecord("us"), namespace="wardgate", name="wardgate-operator", wall=WALL)
        assert {"name": "wardgate-operator", "namespace": "wardgate"} == manifest["metadata"]
        assert {
            "holderIdentity": "us",
            "leaseDurationSeconds": 10,
            "renewTime": "2027-01-15T08:00:00.250000Z",
            "leaseTransitions": 0,
        } == manifest["spec"]

    def test_lease_that_somebody_made_empty_reads_as_free(self) -> None:
        assert LeaseRecord("", "9") == read_lease({"metadata": {"resourceVersion": "9"}})
