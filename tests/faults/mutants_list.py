"""Sixteen defects that nobody may build in unnoticed. Each is data: what is replaced where, and who is to notice.

An anchor must occur exactly once; where the code moved, the mutant says so loudly and is anchored anew.
"""

from __future__ import annotations

from dataclasses import dataclass

OFFERS = "tests/automation/controller/test_offers.py"
REPORTS = "tests/automation/controller/test_reports.py"
SERVICES = "tests/automation/test_services.py"
PROMISES = "tests/faults/test_promises.py"


@dataclass(frozen=True)
class Edit:
    """`old` becomes `new` in a file of the product."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Mutant:
    """A defect on purpose."""

    name: str
    sentence: str  #: what is wrong with it
    edits: tuple[Edit, ...]
    tests: tuple[str, ...]  #: named tests, each of which is to fail by it
    examples: int = 0  #: of the state machine, in which it is to be found; 0: it does not go that way


MUTANTS = (
    Mutant(
        "no-unique-index",
        "The database lets two runs on one phone, and two of one account, be in hand together.",
        tuple(
            Edit(
                "automation/migrations/0001_campaigns_and_runs.py",
                f'condition=models.Q({state}),\n                fields=("{column}",)',
                f'condition=models.Q(("state", "none")),\n                fields=("{column}",)',
            )
            for state, column in (
                ('("state", "running")', "device"),
                ('("state", "offered")', "device"),
                ('("state__in", ("offered", "running"))', "account"),
            )
        ),
        (
            f"{SERVICES}::test_the_database_refuses_two_running_runs_on_one_device",
            f"{PROMISES}::test_the_database_refuses_two_runs_in_hand_of_one_phone_or_account",
        ),
    ),
    Mutant(
        "no-flock",
        "Two agents of one machine may have the same phone.",
        (Edit("automation/agent/lanes.py", "fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)", "pass"),),
        ("tests/automation/agent/test_lanes.py::test_another_process_is_kept_out_and_let_in_when_the_holder_is_killed",),
        examples=300,
    ),
    Mutant(
        "enabled-at-enqueue-only",
        "Whether the account is enabled is asked when the run is made, and never again before it starts.",
        (
            Edit("automation/querysets.py", "return due.exclude(account__is_enabled=False)", "return due"),
            Edit("automation/querysets.py", "self.filter(OF_DISABLED).order_by()", "self.none()"),
            Edit("automation/controller/gather.py", "account.is_enabled\n          AND NOT", "NOT"),
            Edit("automation/controller/planning.py", "if not one.is_enabled:", "if False:"),
            Edit("automation/models.py", "not account.is_enabled or (", "("),
            Edit(
                "automation/controller/dispatch.py",
                "if on is not False and hold != Hold.PERSON",
                "if hold != Hold.PERSON",
            ),
            Edit("automation/receivers.py", 'cancel(runs, actor, Outcome.SKIPPED, "disabled")', "del runs"),
        ),
        (
            f"{SERVICES}::test_an_account_disabled_after_its_run_was_made_is_not_offered",
            f"{PROMISES}::test_a_run_whose_account_was_disabled_unseen_is_put_before_no_phone",
            f"{OFFERS}::test_an_account_disabled_between_claim_and_ticket_does_not_start",
            f"{OFFERS}::test_disabling_an_account_withdraws_its_offer_before_the_reply",
        ),
        examples=300,
    ),
    Mutant(
        "fence-ignored-on-report",
        "A report under an old fence ends the run.",
        (
            Edit(
                "automation/controller/reports.py",
                "report.run, report.fence, str(outcome), reason",
                "report.run, changes.runs[report.run].fence, str(outcome), reason",
            ),
        ),
        (f"{REPORTS}::test_a_report_under_an_old_fence_changes_nothing",),
        examples=300,
    ),
    Mutant(
        "end-overwritten",
        "A run that has ended can end once more, and otherwise.",
        (
            Edit(
                "automation/transitions.py",
                "else (RunState.PENDING, RunState.OFFERED, RunState.RUNNING)",
                "else tuple(RunState)",
            ),
            Edit(
                "automation/transitions.py",
                "allowed = (RunState.RUNNING,) if host_id",
                "allowed = tuple(RunState) if host_id",
            ),
        ),
        (f"{SERVICES}::test_an_end_never_changes",),
        examples=300,
    ),
    Mutant(
        "outbox-emptied-before-acknowledged",
        "The agent forgets its reports when it has sent them, not when the controller has them.",
        (
            Edit(
                "automation/agent/pulse.py",
                "        pipeline.execute()\n        self._sent =",
                "        pipeline.execute()\n        self.outbox.acknowledged(reports[-1][0])\n        self._sent =",
            ),
        ),
        ("tests/automation/agent/test_pulse.py::test_reports_that_redis_lost_are_sent_again",),
        examples=200,
    ),
    Mutant(
        "outbox-not-synced",
        "A loss of power takes the last reports of the agent, and what it had in hand.",
        (
            Edit(
                "automation/agent/outbox.py",
                '"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"',
                '"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"',
            ),
        ),
        ("tests/automation/agent/test_outbox.py::test_what_is_written_outlives_a_loss_of_power",),
        examples=300,
    ),
    Mutant(
        "report-applied-before-dedup",
        "A report that comes twice has its effect twice.",
        (
            Edit(
                "automation/controller/reports.py",
                "if report.epoch == host.outbox_epoch and report.seq == host.applied_seq + 1:",
                "if report.epoch == host.outbox_epoch:",
            ),
        ),
        (f"{REPORTS}::test_a_report_that_comes_twice_is_applied_once",),
        examples=200,
    ),
    Mutant(
        "sweep-by-age",
        "A run that takes long is given up, though its host is heard.",
        (
            Edit(
                "automation/controller/sweep.py",
                "    is_wrong = ",
                "    for run in Run.objects.running().filter(started_at__lt=timezone.now() - timedelta(seconds=30)):\n"
                '        end(run, Outcome.LOST, "host_silent")\n'
                "    is_wrong = ",
            ),
        ),
        (f"{PROMISES}::test_a_run_that_takes_long_on_a_host_that_is_heard_goes_on",),
        examples=300,
    ),
    Mutant(
        "sweep-without-fence",
        "The sweep takes back an offer that was made anew since it looked.",
        (
            Edit(
                "automation/services.py",
                "changes.withdraw(run.pk, run.fence, reason)",
                "changes.withdraw(run.pk, changes.runs[run.pk].fence, reason)",
            ),
        ),
        (f"{PROMISES}::test_an_offer_made_anew_meanwhile_is_not_withdrawn_with_the_old_one",),
    ),
    Mutant(
        "attempt-counted-after-the-run",
        "An attempt in which the host died is not counted, so that poison goes round for ever.",
        (
            Edit(
                "automation/transitions.py",
                "attempt=run.attempt + 1, retry_of=run",
                "attempt=run.attempt + (run.outcome != Outcome.LOST), retry_of=run",
            ),
        ),
        (f"{SERVICES}::test_attempts_are_bounded",),
    ),
    Mutant(
        "password-as-argument",
        "The message of an offer carries the password.",
        (
            Edit(
                "automation/controller/tickets.py",
                "run.fence, run.device.serial) for run in runs",
                "run.fence, run.device.serial + (run.account.password.reveal() if run.account else ''))"
                " for run in runs",
            ),
        ),
        (f"{OFFERS}::test_an_offer_is_a_message_of_ids_and_a_ticket_only_its_host_can_open",),
        examples=50,
    ),
    Mutant(
        "exception-logged-raw",
        "What a script stumbled over is logged with the values in it.",
        (
            Edit(
                "automation/agent/work.py",
                'log.error("run %s: %s\\n%s", run, type(error).__name__, where)',
                'log.error("run %s: %s\\n%s", run, error, where)',
            ),
        ),
        ("tests/automation/agent/test_work.py::test_a_defect_ends_as_errored_with_a_traceback_and_without_values",),
        examples=300,
    ),
    Mutant(
        "ticket-in-the-result",
        "The last report of a run carries its ticket, and so the password.",
        (
            Edit(
                "automation/agent/work.py",
                "if result.outcome not in WITH_EVIDENCE or found is None:\n            return _body(result, **",
                "if result.outcome not in WITH_EVIDENCE or found is None:\n"
                "            return _body(result, ticket=vars(ticket), **",
            ),
            Edit(
                "automation/agent/work.py",
                "return _body(result, **self._evidence(found, ticket), **",
                "return _body(result, ticket=vars(ticket), **self._evidence(found, ticket), **",
            ),
        ),
        ("tests/automation/agent/test_work.py::test_a_failed_login_leaves_picture_and_dump_and_no_password",),
        examples=100,
    ),
    Mutant(
        "preview-unmasked",
        "The preview of an import shows the passwords.",
        (
            Edit(
                "accounts/excel/plan.py",
                'CellChange(str(SECRET_NAMES[name]), "", word)',
                'CellChange(str(SECRET_NAMES[name]), "", getattr(self.account, name).reveal())',
            ),
        ),
        ("tests/accounts/excel/test_pages.py::test_of_a_changed_password_a_preview_says_only_that_it_changes",),
    ),
    Mutant(
        "audit-after-decryption",
        "A password is opened for a ticket before the event that says for which run is written.",
        (
            Edit(
                "automation/transitions.py",
                "return self._move(run, RunState.OFFERED, new)",
                'self._set(run, {**new, "state": RunState.OFFERED})\n        return run',
            ),
            Edit(
                "automation/controller/dispatch.py",
                "ready = _looked_at_again(tickets.issue(runs))",
                "issued = tickets.issue(runs)\n"
                "        event = services.RunEvent\n"
                '        event.objects.bulk_create(event(run=run, old="pending", new="offered") for run in runs)\n'
                "        ready = _looked_at_again(issued)",
            ),
        ),
        (f"{PROMISES}::test_a_password_is_opened_only_after_the_event_of_its_offer_is_written",),
        examples=50,
    ),
)  # fmt: skip
