"""The mutations: each takes one guard of the promise out of the code, and names the test that must notice."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs/reliability.md"
HEADING: Final = "| without this guard | in | fails |"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """`old`, which is in `file` exactly once, becomes `new`. `removes` is what is gone then; `test` is a pytest id, of
    one case where all cases would take long."""

    removes: str
    file: str
    old: str
    new: str
    test: str

    @property
    def test_name(self) -> str:
        """The test's function."""
        return self.test.split("::")[1].split("[")[0]

    def applied(self) -> str:
        """The mutated text of the file. Raises `ValueError` where the guard is not found exactly once."""
        text = (ROOT / self.file).read_text()
        if (times := text.count(self.old)) != 1:
            raise ValueError(
                f"{self.file}: the guard of {self.removes!r} is there {times} times, not once; "
                f"adapt tests/mutations/mutation.py to how it reads now: {self.old!r}"
            )
        return text.replace(self.old, self.new)


def table() -> str:
    """The table of docs/reliability.md."""
    rows = [f"| {one.removes} | `{one.file}` | {_sentence(one)} |" for one in MUTATIONS]
    return "\n".join([HEADING, "| --- | --- | --- |", *rows]) + "\n"


def _sentence(one: Mutation) -> str:
    return f"[{one.test_name.removeprefix('test_').replace('_', ' ')}](../{one.test.split('::')[0]})"


def _lost(kind: str) -> str:
    """A posting of this kind, each of whose calls loses its answer in turn."""
    return f"{WHICHEVER}[{kind}-timeout_after_commit-19.0]"


STORE: Final = "tests/state/test_store_suite.py"
OUTBOX: Final = "tests/state/test_outbox.py"
LANE: Final = "tests/state/test_lane.py"
LOOK: Final = "tests/state/test_look_first.py"
LOOP: Final = "tests/bridge/test_loop.py"
SERVICE: Final = "tests/bridge/test_service.py"
LOOK_FIRST: Final = "tests/odoo_adapter/simulator/test_look_first.py"
WHICHEVER: Final = f"{LOOK_FIRST}::test_whichever_call_fails_and_however_the_next_attempt_leaves_the_same_records"
INSPECTED: Final = (
    "tests/odoo_adapter/simulator/test_quality_lost.py"
    "::test_whichever_call_is_lost_and_however_the_next_attempt_leaves_the_same_records"
)
TEXT: Final = "tests/odoo_adapter/test_inbox_text.py"
KEPT_OFF: Final = "tests/bridge/leadership/test_kept_off.py"
NO_SESSION: Final = f"{KEPT_OFF}::test_a_bridge_whose_site_was_taken_over_makes_no_session_again"
NO_ROOM: Final = f"{KEPT_OFF}::test_a_host_with_a_full_outbox_stays_offline_and_so_does_its_edge_node"
ALWAYS: Final = "partial(asyncio.sleep, 0, True)"
PAUSED: Final = f"{STORE}::test_a_paused_holder_cannot_commit_after_another_acquired"
OUT_OF_STEP: Final = f"{STORE}::test_a_commit_that_is_not_the_next_one_is_out_of_step"
AFTER_COMMIT: Final = f"{LOOP}::test_nothing_is_acted_on_or_acknowledged_before_the_commit"
COMMIT: Final = "        await self._commit({**changes"
TAKE: Final = "        changes = take_changes(self._core)\n"

MUTATIONS: Final = (
    Mutation(
        removes="a commit needs the lease, in Redis",
        file="state/lua/commit.lua",
        old="if lease[1] ~= holder or lease[2] ~= token then",
        new="if false then",
        test=PAUSED,
    ),
    Mutation(
        removes="a commit needs the lease, in memory",
        file="state/memory_store.py",
        old="        if not self._holds(lease):\n            raise Fenced",
        new="        if not lease:\n            raise Fenced",
        test=PAUSED,
    ),
    Mutation(
        removes="a commit follows the stored one, in Redis",
        file="state/lua/commit.lua",
        old="if number ~= stored + 1 then",
        new="if false then",
        test=OUT_OF_STEP,
    ),
    Mutation(
        removes="a commit follows the stored one, in memory",
        file="state/memory_store.py",
        old="if commit.number != self._number + 1:",
        new="if not commit.number:",
        test=OUT_OF_STEP,
    ),
    Mutation(
        removes="the key of a fact that is done is known",
        file="state/outbox.py",
        old="if (done := self._ledger.accepted(key)) is not None:",
        new="if (done := self._ledger.accepted(key)) is not None and not key:",
        test=f"{OUTBOX}::test_the_same_fact_again_is_a_duplicate_while_it_waits_and_after_it_is_done",
    ),
    Mutation(
        removes="a total counts only above the last of its stream",
        file="state/outbox.py",
        old="is not None and upto <= total.upto:",
        new="is not None and upto < 0:",
        test=f"{OUTBOX}::test_a_total_that_is_not_above_the_last_of_its_stream_is_a_duplicate",
    ),
    Mutation(
        removes="a document is acknowledged after the commit",
        file="bridge/loop.py",
        old=TAKE,
        new="        for early in batch.committed:\n            await early()\n" + TAKE,
        test=AFTER_COMMIT,
    ),
    Mutation(
        removes="requests are carried out after the commit",
        file="bridge/loop.py",
        old=TAKE,
        new="        for early in batch.requests:\n            self._shell.act(early)\n" + TAKE,
        test=AFTER_COMMIT,
    ),
    Mutation(
        removes="a claim is committed before it is sent",
        file="bridge/loop.py",
        old=TAKE + COMMIT,
        new=(
            "        early = [one for one in batch.requests if type(one).__name__ == 'Send']\n"
            "        for one in early:\n            batch.requests.remove(one)\n            self._shell.act(one)\n"
            + TAKE
            + COMMIT
        ),
        test="tests/bridge/test_loop.py::test_a_claim_is_stored_before_it_is_sent",
    ),
    Mutation(
        removes="what may have been written stays claimed",
        file="state/outbox.py",
        old="back = replace(waiting, uncertain=True) if uncertain else unwritten(waiting)",
        new="back = unwritten(waiting)",
        test=f"{OUTBOX}::test_an_uncertain_entry_is_sent_again_unchanged_before_its_followers",
    ),
    Mutation(
        removes="without the inbox a step is looked for before it is done again",
        file="odoo_adapter/look_first/production/progress.py",
        old="if not change.added or (one.job.uncertain and change.stands):",
        new="if not change.added:",
        test=_lost("count"),
    ),
    Mutation(
        removes="without the inbox nobody looks while an attempt may still run",
        file="state/waiting/change.py",
        old="not_before_ms=now_ms + look_after_ms if look_after_ms else entry.not_before_ms,",
        new="not_before_ms=entry.not_before_ms,",
        test=f"{LOOK}::test_an_uncertain_entry_waits_until_no_attempt_can_run_any_more_and_other_lanes_go_on",
    ),
    Mutation(
        removes="a completion waits for a consumption that is held",
        file="state/lane.py",
        old='"material.consume": ENDS_ORDER,',
        new='"material.consume": _NOTHING,',
        test=f"{LANE}::test_a_held_consumption_keeps_the_completion_back",
    ),
    Mutation(
        removes="a completion waits for a quality hold that failed",
        file="state/lane.py",
        old='"quality.hold": frozenset({"production.complete", ',
        new='"quality.hold": frozenset({',
        test=f"{LANE}::test_a_dead_hold_never_lets_a_completion_make_the_goods_available",
    ),
    Mutation(
        removes="a lane gives nothing while something of it is in flight",
        file="state/outbox.py",
        old="if stands.due_ms <= now_ms and not self._flight.is_busy(lane):",
        new="if stands.due_ms <= now_ms:",
        test=f"{LANE}::test_a_lane_goes_in_order_and_gives_nothing_while_it_is_in_flight",
    ),
    Mutation(
        removes="totals are not joined over what changed between them",
        file="state/lane.py",
        old="        if not _may_join(entry):\n            return None",
        new="        if not _may_join(entry):\n            continue",
        test=f"{LANE}::test_totals_are_not_joined_over_another_entry_nor_with_one_that_was_sent",
    ),
    Mutation(
        removes="a host asks the store for its lease before it is online",
        file="bridge/leadership/lease.py",
        old="            return await self._store.renew(self.lease)\n        except",
        new="            return await self._store.renew(self.lease) or True\n        except",
        test="tests/bridge/leadership/test_lease.py::test_a_lease_is_ours_until_the_store_says_otherwise",
    ),
    Mutation(
        removes="a key that comes again with other content is a conflict, in the inbox of the simulator",
        file="odoo_adapter/simulator/inbox/protocol.py",
        old='if known[0].text("x_hash") == transaction["hash"]:',
        new="if known:",
        test="tests/odoo_adapter/simulator/test_as_live.py::test_it_behaves_as_every_odoo",
    ),
    Mutation(
        removes="a bridge that stands by waits for the lease before it has a session, and a will",
        file="bridge/leadership/lease.py",
        old="lease = await store.acquire(holder, lease_ms)\n    if lease is None:",
        new=(
            "lease = await store.acquire(holder, lease_ms) or Lease(holder=holder, token=0, ttl_ms=lease_ms)\n"
            "    if lease is None:"
        ),
        test=f"{SERVICE}::test_a_bridge_that_waits_for_another_one_makes_no_session",
    ),
    Mutation(
        removes="history is not the present, in what is shown",
        file="bridge/core/live.py",
        old="if not one.historical:",
        new="if one:",
        test="tests/bridge/core/test_live.py::test_what_was_stored_while_we_were_away_is_not_the_present",
    ),
    Mutation(
        removes="history is not the present, in rules",
        file="ruleset/engine.py",
        old="case Sample() if observation.historical:",
        new="case Sample() if not observation:",
        test="tests/ruleset/test_counting.py::test_late_history_changes_no_total_and_is_remarked_once",
    ),
    Mutation(
        removes="after an outage equipment settles before rules see it",
        file="bridge/floor/settle.py",
        old="return self._group_of(equipment) is None",
        new="return True",
        test="tests/bridge/floor/test_settle.py::test_a_birth_waits_for_the_history_behind_it_and_for_documents",
    ),
    Mutation(
        removes="timers of equipment that is stale wait",
        file="ruleset/engine.py",
        old="return path in self._unconfirmed or (self.is_stale(path) and not instance.form.fires_when_stale)",
        new="return path in self._unconfirmed",
        test="tests/ruleset/test_alarm.py::test_a_stale_press_suspends_its_timers_and_with_fire_it_does_not",
    ),
    Mutation(
        removes="timers wait for a birth after a restart",
        file="ruleset/engine.py",
        old="return path in self._unconfirmed or (self.is_stale(path)",
        new="return (self.is_stale(path)",
        test="tests/ruleset/test_alarm.py::test_a_timer_survives_a_restart_and_waits_for_the_birth",
    ),
    Mutation(
        removes="each line of the audit log continues the one before",
        file="state/audit.py",
        old='elif content["prev"] != before.hash and before.hash:',
        new='elif content["prev"] != before.hash and not before:',
        test="tests/state/test_audit.py::test_a_line_that_was_changed_and_hashed_anew_does_not_fit_the_next",
    ),
    Mutation(
        removes="nobody approves rules of their own",
        file="bridge/lifecycle/history.py",
        old="step is Step.APPROVE and known.author == who.name",
        new="step is Step.APPROVE and not who",
        test="tests/bridge/lifecycle/test_book.py::test_nobody_approves_what_they_wrote",
    ),
    Mutation(
        removes="a counter that was reset begins an epoch",
        file="ruleset/form/counter.py",
        old="self.epoch += 1",
        new="self.epoch += 0",
        test="tests/ruleset/test_counting.py::test_a_reset_begins_an_epoch_and_the_reading_counts_from_it",
    ),
    Mutation(
        removes="only the disposition of the same order and lot decides",
        file="ruleset/form/wait.py",
        old="answer = then.holds(self.match)",
        new="answer = then.holds(self.match) is not None",
        test="tests/ruleset/test_wait.py::test_the_disposition_of_another_order_decides_nothing",
    ),
    Mutation(
        removes="without the inbox, a look before the next attempt: scrap that is validated is not validated again",
        file="odoo_adapter/look_first/production/scrap.py",
        old='if row["state"] == "done":\n        return one.applied(',
        new="if not row:\n        return one.applied(",
        test=_lost("scrap"),
    ),
    Mutation(
        removes="without the inbox, a look before the next attempt: a downtime",
        file="odoo_adapter/look_first/time/downtime.py",
        old="if found := await find_downtime(one):",
        new="if (found := await find_downtime(one)) and not one:",
        test=_lost("downtime"),
    ),
    Mutation(
        removes="without the inbox, a look before the next attempt: a maintenance request",
        file="odoo_adapter/look_first/maintenance.py",
        old="if found := await find_maintenance(one):",
        new="if (found := await find_maintenance(one)) and not one:",
        test=_lost("maintenance"),
    ),
    Mutation(
        removes="without the inbox, a look before the next attempt: a consumption that was written",
        file="odoo_adapter/look_first/material/consume.py",
        old="if one.job.uncertain and _same(report.found, before + report.added):",
        new="if not one:",
        test=_lost("consume"),
    ),
    Mutation(
        removes="without the inbox, a look before the next attempt: a lot",
        file="odoo_adapter/look_first/material/name.py",
        old="if lot.id and await said(one.steps, lot.id, one.key, _BEGIN, MODEL):",
        new="if not lot:",
        test=_lost("lot"),
    ),
    Mutation(
        removes="without the inbox, a look before the next attempt: a note",
        file="odoo_adapter/look_first/note.py",
        old="if found := await stands(one, order.id):",
        new="if (found := await stands(one, order.id)) and not one:",
        test=_lost("note"),
    ),
    Mutation(
        removes="without the inbox, a look before the next attempt: a completion",
        file="odoo_adapter/look_first/production/completion.py",
        old='if order.state == "done" and one.job.uncertain:',
        new="if not one:",
        test=_lost("completion"),
    ),
    Mutation(
        removes="without the inbox, a look before the next attempt: a quality result",
        file="odoo_adapter/look_first/quality/inspection.py",
        old="if found := await stands(one, document.id, document.model):",
        new="if (found := await stands(one, document.id, document.model)) and not one:",
        test=f"{INSPECTED}[answered-timeout_after_commit]",
    ),
    Mutation(
        removes="the inbox in Odoo knows the key of a fact that is done",
        file="odoo_adapter/inbox/text/protocol.py.txt",
        old="if row and row[2] == 'done':",
        new="if row and not row:",
        test=f"{TEXT}::test_the_same_fact_again_has_one_effect_and_the_first_result",
    ),
    Mutation(
        removes="a key that comes again with other content is a conflict, in the inbox in Odoo",
        file="odoo_adapter/inbox/text/protocol.py.txt",
        old="if row[1] != tx['hash']:",
        new="if not row:",
        test=f"{TEXT}::test_a_key_that_comes_again_with_other_content_is_a_conflict_and_what_follows_it_is_passed",
    ),
    Mutation(
        removes="a link asks whether the lease is ours before each session",
        file="bridge/service.py",
        old="Sessions(plant, outside, self._may_connect)",
        new=f"Sessions(plant, outside, {ALWAYS})",
        test=NO_SESSION,
    ),
    Mutation(
        removes="the host asks before each session",
        file="bridge/service.py",
        old="sessions.host(core.host, server, presence, self._may_be_online)",
        new=f"sessions.host(core.host, server, presence, {ALWAYS})",
        test=NO_SESSION,
    ),
    Mutation(
        removes="the STATE of Sparkplug 2.2 asks before each session",
        file="bridge/service.py",
        old="sessions.legacy_state(host_id, server, self._may_be_online)",
        new=f"sessions.legacy_state(host_id, server, {ALWAYS})",
        test=NO_SESSION,
    ),
    Mutation(
        removes="a host that can take no more stays offline",
        file="bridge/service.py",
        old="return not self._stalls and await",
        new="return await",
        test=NO_ROOM,
    ),
    Mutation(
        removes="the bridge's own edge node is born only where its host hears it",
        file="bridge/service.py",
        old="return next(iter(self._hosts.values())).is_up and await",
        new="return await",
        test=NO_ROOM,
    ),
)
