"""Claims that look at what waits and never at what was delivered; delivered rows found by their age."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.drop_index("ix_deliveries_channel")
        batch_op.drop_index("ix_deliveries_delivered")
        batch_op.create_index("ix_deliveries_queue", ["channel", "state", "created_at", "id"])
        batch_op.create_index("ix_deliveries_release", ["release_id", "channel", "state"])
        batch_op.create_index("ix_deliveries_delivered", ["delivered_at", "channel"])
