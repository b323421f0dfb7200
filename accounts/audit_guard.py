"""Triggers that let nobody change or delete an audit event: no defect of ours, nobody at the database's prompt.

Whoever owns the database may drop them; they keep honest what goes by way of SQL, and make the rest deliberate.
"""

from __future__ import annotations

from typing import Any

from django.db import connections

SAYS = "an audit event is never changed or deleted"
SQLITE = [
    f"CREATE TRIGGER IF NOT EXISTS audit_no_{verb} BEFORE {verb} ON accounts_auditevent "
    f"BEGIN SELECT RAISE(ABORT, '{SAYS}'); END"
    for verb in ("update", "delete")
]
POSTGRESQL = [
    "CREATE OR REPLACE FUNCTION audit_is_kept() RETURNS trigger LANGUAGE plpgsql AS "
    f"$$ BEGIN RAISE EXCEPTION '{SAYS}'; END $$",
    "CREATE OR REPLACE TRIGGER audit_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON accounts_auditevent "
    "FOR EACH STATEMENT EXECUTE FUNCTION audit_is_kept()",
]
TAKE_OFF = {
    "sqlite": ["DROP TRIGGER IF EXISTS audit_no_update", "DROP TRIGGER IF EXISTS audit_no_delete"],
    "postgresql": ["DROP TRIGGER IF EXISTS audit_is_kept ON accounts_auditevent"],
}


def guard(using: str = "default", **_kwargs: Any) -> None:
    """Put the triggers there, once the table is; safe to repeat."""
    connection = connections[using]
    if "accounts_auditevent" in connection.introspection.table_names():
        _execute(using, SQLITE if connection.vendor == "sqlite" else POSTGRESQL)


def unguard(using: str = "default") -> None:
    """Take them off, for a migration that must write to the table itself."""
    _execute(using, TAKE_OFF[connections[using].vendor])


def _execute(using: str, statements: list[str]) -> None:
    with connections[using].cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
