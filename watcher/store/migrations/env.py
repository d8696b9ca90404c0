"""Runs the migrations over the connection that `watcher.store.engine` passes in."""

from __future__ import annotations

from alembic import context

from watcher.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    render_as_batch=True,
)
context.run_migrations()
