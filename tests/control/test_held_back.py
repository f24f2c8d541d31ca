"""Owners are told what of theirs waits while the config is too large, and nobody else is."""

from __future__ import annotations

from wardgate.api import Approval
from wardgate.api.kinds.conditions import MAX_MESSAGE
from wardgate.control.held_back import held_back
from wardgate.control.size_limit import Excess
from wardgate.problems import ObjectRef, Problem, ProblemKind, Reason
from wardgate.snapshot import StoredObject
from wardgate.translate.reading.last_good import LastGood
from wardgate.translate.statuses.object_status import ObjectStatus, Statuses

EXCESS = Excess(7000, 6000, (ObjectRef("Secret", "team", "key"),))


def stored(name: str, generation: int = 3, *, uid: str = "", text: str = "text") -> StoredObject:
    ref = ObjectRef("RouteTable", "team", name)
    return StoredObject(ref, uid or name, generation, generation, "", {"spec": text})


def verdict(one: StoredObject, *problems: Problem, approval: Approval = Approval.ACCEPTED) -> ObjectStatus:
    return ObjectStatus(one.ref, one.uid, one.generation, approval, "Accepted", "Fine.", one.generation, problems)


def forms(*objects: StoredObject) -> LastGood:
    return {one.ref: one for one in objects}


def told(one: ObjectStatus, *, good: LastGood, accepted: LastGood) -> ObjectStatus:
    (found,) = held_back(Statuses((one,)), good=good, accepted=accepted, excess=EXCESS)
    return found


def test_object_in_force_is_told_nothing() -> None:
    one = stored("a")
    assert verdict(one) == told(verdict(one), good=forms(one), accepted=forms(stored("a")))


def test_changed_object_is_invalid_and_serves_what_was_published() -> None:
    new, old = stored("a", 4, text="new"), stored("a", 3)
    found = told(verdict(new), good=forms(new), accepted=forms(old))
    assert (Approval.INVALID, "TooLarge") == (found.approval, found.reason)
    assert (4, 3) == (found.generation, found.served_generation)
    assert (
        "RouteTable team/a waits: with all changes the config comes to 7000 bytes of at most 6000, and until it fits "
        "it stays as it was last published, if it was. Remove what is not needed, or raise config_bytes."
    ) == found.message


def test_new_object_serves_nothing() -> None:
    new = stored("a")
    assert told(verdict(new), good=forms(new), accepted={}).served_generation is None


def test_object_that_was_made_anew_serves_nothing_of_its_own() -> None:
    new = stored("a", uid="another")
    found = told(verdict(new), good=forms(new), accepted=forms(stored("a")))
    assert ("TooLarge", None) == (found.reason, found.served_generation)


def test_change_of_labels_alone_is_told_although_the_generation_is_the_same() -> None:
    new = stored("a", text="labels")
    assert "TooLarge" == told(verdict(new), good=forms(new), accepted=forms(stored("a"))).reason


def test_object_that_is_bad_in_itself_is_told_so_and_no_more() -> None:
    bad, good = verdict(stored("a", 4), approval=Approval.INVALID), forms(stored("a", 3))
    assert bad == told(bad, good=good, accepted=good)
    assert bad == told(bad, good={}, accepted={})


def test_warnings_that_were_told_before_are_told_after() -> None:
    new = stored("a", 4)
    warning = Problem(ProblemKind.WARNING, Reason.NO_EFFECT, "Told before.", new.ref)
    found = told(verdict(new, warning), good=forms(new), accepted={})
    assert warning == found.problems[1]
    assert found.message.endswith(" Told before.")


def test_secret_whose_key_is_refused_is_a_problem_that_quotes_nothing_of_it() -> None:
    (problem,) = held_back(Statuses(), good={}, accepted={}, excess=EXCESS).problems
    assert (
        "Secret team/key waits: with all changes the config comes to 7000 bytes of at most 6000, and until it fits "
        "its keys are refused. Remove what is not needed, or raise config_bytes."
    ) == problem.message


def test_message_stays_within_what_a_status_may_hold() -> None:
    new = stored("a", 4)
    long = Problem(ProblemKind.WARNING, Reason.NO_EFFECT, "x" * MAX_MESSAGE, new.ref)
    assert MAX_MESSAGE == len(told(verdict(new, long), good=forms(new), accepted={}).message)
