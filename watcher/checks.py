"""`watcher check`: is everything there that a run needs? Sends nothing; each line has a remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from watcher.errors import WatcherError
from watcher.hub.model import Hub, HubError, HubProblem
from watcher.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was verified."""

    what: str
    ok: bool
    says: str
    """What was found, or what is wrong and the remedy."""

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return asdict(self)


def run_checks(settings: Settings, environment: Mapping[str, str], *, offline: bool = False) -> list[Check]:
    """Every check, in the order a user would fix things; `offline` leaves out what needs a network."""
    checks: list[Iterator[Check]] = [_configuration(settings), _store(settings), _secrets(settings)]
    if not offline:
        checks += [_hub(settings), _channels(settings, environment)]
    return [check for group in checks for check in group]


def _try(what: str, verify: Callable[[], str]) -> Check:
    try:
        return Check(what, True, verify())
    except WatcherError as error:
        return Check(what, False, str(error))


def _configuration(settings: Settings) -> Iterator[Check]:
    count = len(settings.watch.organizations)
    yield Check("configuration", True, f"{count} organizations, {len(settings.channels)} channels")
    if not count:
        yield Check("watch.organizations", False, "nothing is tracked; name an organization or preset:frontier-labs")


def _store(settings: Settings) -> Iterator[Check]:
    def verify() -> str:
        from watcher.store.engine import open_store

        with open_store(settings.store_url) as store, store.begin():
            return "opens, can be written, schema is current"

    yield _try("store", verify)


def _hub(settings: Settings) -> Iterator[Check]:
    from watcher.runtime import hub_client

    try:
        hub = hub_client(settings)
    except WatcherError:
        return  # the token is at fault, and named already

    if settings.hub.read_token():
        yield _try("hub", lambda: _account(hub, settings))
    yield from _organizations(hub, settings)


def _account(hub: Hub, settings: Settings) -> str:
    """Whose token it is, and what it may ask; a token that is not accepted is no fault where it may be left out."""
    endpoint = settings.hub.endpoint
    try:
        name = hub.whoami()
    except HubError as error:
        if error.problem is HubProblem.BAD_TOKEN and settings.hub.anonymous:
            return f"{endpoint} does not accept hub.token; going on without it, as hub.anonymous says"
        raise
    rate = next(iter(hub.rates.values()), None)
    quota = f", {rate.quota} requests per window" if rate and rate.quota else ""
    return f"{endpoint} answers as {name}{quota}"


def _organizations(hub: Hub, settings: Settings) -> Iterator[Check]:
    """A line for each that does not exist, one for all that do, and one when the Hub cannot be asked."""
    names, found = settings.watch.organizations, 0
    for name in names:
        try:
            exists = hub.organization_exists(name)
        except WatcherError as error:
            yield Check("organizations", False, f"{error}; {len(names) - found} of {len(names)} could not be verified")
            return
        found += exists
        if not exists:
            missing = "no organization or user of this name on the Hub; check the spelling"
            yield Check(f"organization {name}", False, missing)
    if found:
        yield Check("organizations", True, f"{found} of {len(names)} exist on {settings.hub.endpoint}")


def _secrets(settings: Settings) -> Iterator[Check]:
    yield _try("hub.token", lambda: "is set" if settings.hub.read_token() else "not set: anonymous, half the quota")
    if settings.hub.webhooks is not None:
        yield _try("hub.webhooks", settings.hub.webhooks.verify)
    for channel in settings.channels:
        for key, secret in channel.secrets():
            found = _try(f"channels.{channel.name}.{key}", lambda secret=secret: secret.resolve() and "is set")  # type: ignore[misc]
            if not found.ok:
                yield found


def _channels(settings: Settings, environment: Mapping[str, str]) -> Iterator[Check]:
    from watcher.runtime import build_channels

    try:
        built = build_channels(settings, environment)
    except WatcherError as error:
        yield Check("channels", False, str(error))
        return
    for name, (kind, channel) in built.items():
        yield _try(f"channel {name} ({kind.type})", channel.check)


def print_checks(checks: list[Check], console: Console) -> None:
    """A table with ✓ and ✗."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_header=False)
    for check in checks:
        mark = Text("✓", "green") if check.ok else Text("✗", "bold red")
        table.add_row(mark, Text(check.what), Text(check.says, "" if check.ok else "red"))
    console.print(table)
