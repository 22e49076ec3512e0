"""Make the database's views those that are declared: only where they changed, and with the grants they had."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from sqlalchemy import Connection, text

from portfolio_sync.store.engine import is_sqlite
from portfolio_sync.store.views import VIEWS, View


def recreate(connection: Connection, dropped: Iterable[str] = ()) -> None:
    """Bring the views to their declared form. ``dropped``: grants, as :func:`drop` returned them, to be given again."""
    standing = _standing(connection)
    grants = list(dropped)
    for view in VIEWS:
        wanted = _create(view, sqlite=is_sqlite(connection))
        if standing.get(view.name) != _mark(wanted):
            grants += drop(connection, [view.name])
            connection.exec_driver_sql(wanted)
            _remember(connection, view, _mark(wanted))
    for grant in grants:
        connection.exec_driver_sql(grant)


def drop(connection: Connection, names: Iterable[str] | None = None) -> list[str]:
    """Drop the views (all of ours that stand), because they stop tables from being altered. Returns the GRANTs they had."""
    standing = _standing(connection)
    gone = [name for name in (names or [view.name for view in VIEWS]) if name in standing]
    grants = [] if is_sqlite(connection) else [grant for name in gone for grant in _grants(connection, name)]
    for name in gone:
        connection.exec_driver_sql(f"DROP VIEW {name}")
    return grants


def _create(view: View, *, sqlite: bool) -> str:
    return f"CREATE VIEW {view.name} AS {view.select(sqlite=sqlite)}"


def _mark(statement: str) -> str:
    return sha256(statement.encode()).hexdigest()[:16]


def _standing(connection: Connection) -> dict[str, str]:
    """The views that stand, and the mark of the statement that made each. PostgreSQL rewrites a view's text: there it is in its comment."""
    if is_sqlite(connection):
        found = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'view'"))
        return {name: _mark(sql) for name, sql in found}
    found = connection.execute(
        text(
            "SELECT relname, coalesce(obj_description(oid, 'pg_class'), '') FROM pg_class "
            "WHERE relkind = 'v' AND relnamespace = current_schema()::regnamespace"
        )
    )
    return {name: comment.rpartition("definition ")[2].rstrip(")") for name, comment in found}


def _remember(connection: Connection, view: View, mark: str) -> None:
    if not is_sqlite(connection):
        comment = f"{view.about} (definition {mark})".replace("'", "''")
        connection.exec_driver_sql(f"COMMENT ON VIEW {view.name} IS '{comment}'")


def _grants(connection: Connection, name: str) -> list[str]:
    """GRANT statements for all that others may do with the view. The owner's own rights come with creating it."""
    found = connection.execute(
        text(
            "SELECT format('GRANT %s ON %I TO %s%s', a.privilege_type, c.relname, "
            "CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END, "
            "CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END) "
            "FROM pg_class c, aclexplode(c.relacl) a "
            "WHERE c.relname = :name AND c.relnamespace = current_schema()::regnamespace AND a.grantee <> c.relowner"
        ),
        {"name": name},
    )
    return [str(grant) for grant in found.scalars()]
