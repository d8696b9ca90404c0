"""The tables: what must survive between any two steps of the way of the data.

Adding or changing a column here needs a migration beside it (`watcher/store/migrations/versions`); a test proves that
the migrations, replayed, give exactly this schema.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from watcher.store.types import Json, Packed, PackedJson, UtcDateTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

organizations = Table(
    "organizations",
    metadata,
    Column("name", String(96), primary_key=True, comment="lower case"),
    Column("tracked", Boolean, nullable=False),
    Column("tracked_since", UtcDateTime, nullable=False),
    Column(
        "known_since",
        UtcDateTime,
        comment="first complete listing since it is tracked; until then looks are silent",
    ),
    Column("looked_at", UtcDateTime),
    Column("complete_at", UtcDateTime),
    Column(
        "changed_at",
        UtcDateTime,
        comment="when a look last brought something; the most active are looked at first",
    ),
    Column("digest", String(64), comment="of the last complete listing: the same means that nothing changed"),
    Column("etag", String(128), comment="of the last complete listing, if it was one page"),
    Column("pages", Integer, nullable=False, server_default="1", comment="of the last complete listing"),
    Column("error", Text),
)

repos = Table(
    "repos",
    metadata,
    Column("hub_id", String(64), primary_key=True),
    Column("name", String(256), nullable=False),
    Column("organization", String(96), nullable=False, comment="lower case"),
    Column(
        "stem",
        String(256),
        nullable=False,
        comment="family and version out of the name: what a release shares",
    ),
    Column("version", Integer, nullable=False, comment="raised by T1 from the one it read"),
    Column("state", String(16), nullable=False),
    Column("because", Text, comment="the rule that kept or dropped it"),
    Column("first_seen_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False, comment="when we last saw something new about it"),
    Column("sha", String(64)),
    Column("last_modified", UtcDateTime),
    Column("created_at", UtcDateTime),
    Column("gated", String(16)),
    Column("disabled", Boolean, nullable=False),
    Column("license", String(256)),
    Column("pipeline_tag", String(96)),
    Column("library_name", String(96)),
    Column("tags", Json, nullable=False),
    Column("base_models", Json, nullable=False),
    Column("stored_parameters", BigInteger),
    Column("looked_sha", String(64), comment="the revision whose files were compared last"),
    Column("tree", PackedJson, comment="files of looked_sha: [path, oid, size, lfs sha256]"),
    Column("readable", Boolean, nullable=False),
    Column("whole", Boolean, nullable=False, comment="every weight file its index names is there"),
    Column("read_sha", String(64), comment="the revision the record was read at"),
    Column("record_key", String(64)),
    Column("unreadable", Text),
    Column("release_id", String(64), ForeignKey("releases.id")),
    Column("missing_since", UtcDateTime),
    Column("retry_at", UtcDateTime, comment="not before; set after a failed request"),
    Column("failures", Integer, nullable=False),
    Column("error", Text),
    Index("ix_repos_organization_name", "organization", "name"),
    Index("ix_repos_release_id", "release_id"),
    Index("ix_repos_stem", "organization", "stem"),
    Index("ix_repos_state", "state"),
    # A quiet cycle asks these three; partial, so that it costs the same however many repos are known.
    Index(
        "ix_repos_due",
        "state",
        "changed_at",
        sqlite_where=text("looked_sha IS NOT sha"),
        postgresql_where=text("looked_sha IS DISTINCT FROM sha"),
    ),
    Index(
        "ix_repos_missing",
        "organization",
        sqlite_where=text("missing_since IS NOT NULL"),
        postgresql_where=text("missing_since IS NOT NULL"),
    ),
    Index(
        "ix_repos_closed",
        "unreadable",
        "retry_at",
        sqlite_where=text("unreadable IS NOT NULL"),
        postgresql_where=text("unreadable IS NOT NULL"),
    ),
)

releases = Table(
    "releases",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("organization", String(96), nullable=False),
    Column("stem", String(256), nullable=False),
    Column("state", String(16), nullable=False, comment="silent, open, out"),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("out_at", UtcDateTime),
    Column("report_id", String(64), comment="its first report"),
    Index("ix_releases_state", "state"),
)

events = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("hub_id", String(64), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("version", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("name", String(256), nullable=False),
    Column("before", Json, nullable=False),
    Column("after", Json, nullable=False),
    Column("report_id", String(64), comment="set once, by T3"),
    Column("closed_because", Text, comment="why it needs no report"),
    UniqueConstraint("hub_id", "kind", "version"),
    Index("ix_events_due", "report_id", "closed_because"),
    Index("ix_events_hub_id", "hub_id"),
)

blobs = Table(
    "blobs",
    metadata,
    Column("oid", String(64), primary_key=True),
    Column("data", Packed, nullable=False),
    Column("kept_at", UtcDateTime, nullable=False),
)

records = Table(
    "records",
    metadata,
    Column("key", String(64), primary_key=True, comment="over blob ids and the reader's version"),
    Column("fingerprint", String(64), nullable=False),
    Column("data", PackedJson, nullable=False),
    Column("config_oid", String(64)),
    Column("made_at", UtcDateTime, nullable=False),
    Index("ix_records_fingerprint", "fingerprint"),
)

baselines = Table(
    "baselines",
    metadata,
    Column("fingerprint", String(64), primary_key=True),
    Column("hub_id", String(64)),
    Column("name", String(256), nullable=False, comment="the earliest model that has this architecture"),
    Column("release_id", String(64)),
    Column("record_key", String(64), ForeignKey("records.key"), nullable=False),
    Column("first_seen_at", UtcDateTime, nullable=False),
    Column("added", Boolean, nullable=False, comment="by `watcher baselines add`"),
)

reports = Table(
    "reports",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("release_id", String(64)),
    Column("event", String(32), nullable=False),
    Column("organization", String(96), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("headline", Text, nullable=False),
    Column("significance", String(16)),
    Column("verdict", String(32)),
    Column("path", Text, nullable=False),
    Column("repos", Json, nullable=False),
    Column("data", PackedJson, nullable=False, comment="the report as data, pictures apart"),
    Index("ix_reports_created_at", "created_at"),
    Index("ix_reports_release_id", "release_id"),
)

pictures = Table(
    "pictures",
    metadata,
    Column("report_id", String(64), ForeignKey("reports.id", ondelete="CASCADE"), nullable=False),
    Column("name", String(256), nullable=False),
    Column("data", Packed, nullable=False),
    PrimaryKeyConstraint("report_id", "name"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", String(64), primary_key=True, comment="the idempotency key across all attempts"),
    Column("report_id", String(64), ForeignKey("reports.id"), nullable=False),
    Column("release_id", String(64)),
    Column("channel", String(64), nullable=False),
    Column("state", String(16), nullable=False, comment="pending, held, sending, delivered, retrying, dead"),
    Column("payload", PackedJson, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("next_at", UtcDateTime, nullable=False),
    Column("lease_until", UtcDateTime),
    Column("attempts", Integer, nullable=False),
    Column("delivered_at", UtcDateTime),
    Column("status", Text, comment="the last answer, short and redacted"),
    Column("reference", Text, comment="what the platform calls the message"),
    Column("digest_id", String(64), comment="the delivery that this one went out with"),
    UniqueConstraint("report_id", "channel"),
    Index("ix_deliveries_due", "state", "next_at"),
    Index("ix_deliveries_queue", "channel", "state", "created_at", "id"),
    Index("ix_deliveries_release", "release_id", "channel", "state"),
    Index("ix_deliveries_delivered", "delivered_at", "channel"),
    Index("ix_deliveries_digest_id", "digest_id"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("delivery_id", String(64), ForeignKey("deliveries.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("status", Text, nullable=False),
    PrimaryKeyConstraint("delivery_id", "number"),
)

channels = Table(
    "channels",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("failures", Integer, nullable=False, comment="in a row"),
    Column("backoff_until", UtcDateTime),
    Column("disabled_at", UtcDateTime),
    Column("reason", Text),
)

spending = Table(
    "spending",
    metadata,
    Column("window", BigInteger, primary_key=True, comment="start of the 300-second window, Unix seconds"),
    Column("requests", Integer, nullable=False),
)

notes = Table(
    "notes",
    metadata,
    Column("key", String(96), primary_key=True),
    Column("value", Json, nullable=False),
)
