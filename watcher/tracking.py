"""`watcher track` and `untrack`: edit `watch.organizations` in config.toml in place, with its comments and layout."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watcher.configuration import find_configuration
from watcher.errors import ConfigurationError
from watcher.presets import WITHOUT, expand_presets
from watcher.settings import WatchSettings
from watcher.whole_file import write_whole

if TYPE_CHECKING:
    from tomlkit import TOMLDocument
    from tomlkit.items import Array

OVERRIDE = "WATCHER_WATCH__ORGANIZATIONS"

Edit = Callable[["Array", str], str | None]
"""Change the list for one name; what was done, or None when there was nothing to do."""


def track(given: str | None, names: Iterable[str], environment: Mapping[str, str]) -> list[str]:
    """Add organizations (or `preset:NAME`) to the configuration; a sentence for each."""
    return _edit(given, names, environment, _add)


def untrack(given: str | None, names: Iterable[str], environment: Mapping[str, str]) -> list[str]:
    """Take organizations out of the configuration; one that a preset brings is written as `!NAME`."""
    return _edit(given, names, environment, _remove)


def plain_name(text: str) -> str:
    """`org` out of what people paste: an address of the Hub, `org/model`, `@org`. Else ConfigurationError."""
    name = text.strip()
    if "://" in name:
        name = name.partition("://")[2].partition("/")[2]
    name = name.strip("/").partition("/")[0].removeprefix("@")
    try:
        expand_presets([name])
    except ValueError as error:
        raise ConfigurationError(f"{error}") from None
    return name


def _edit(given: str | None, names: Iterable[str], environment: Mapping[str, str], edit: Edit) -> list[str]:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    path = _file(given, environment)
    try:
        document = tomlkit.parse(_read(path))
    except TOMLKitError as error:
        raise ConfigurationError(f"{path}: is not TOML: {error}") from None
    listed = _list(document, path)
    before = document.as_string()
    said = [edit(listed, plain_name(name)) or f"{plain_name(name)}: nothing to change" for name in names]
    if document.as_string() != before:
        _write(path, document.as_string().rstrip("\n") + "\n")
    return said


def _file(given: str | None, environment: Mapping[str, str]) -> Path:
    if environment.get(OVERRIDE):
        raise ConfigurationError(f"{OVERRIDE} is set and wins over the file; change it there, or unset it")
    path = find_configuration(given, environment)
    if path is None:
        raise ConfigurationError("there is no config.toml to edit; `watcher init` writes one to start from")
    return path


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path}: is not UTF-8 text") from None


def _list(document: TOMLDocument, path: Path) -> Array:
    """The array `watch.organizations`; written out with its default where the file relied on that."""
    import tomlkit
    from tomlkit.items import Array

    watch: Any = document.setdefault("watch", tomlkit.table())
    if "organizations" not in watch:
        default = tomlkit.array()
        default.extend(WatchSettings.model_fields["organizations"].get_default(call_default_factory=True))
        watch["organizations"] = default
    found = watch["organizations"]
    if not isinstance(found, Array) or not all(isinstance(item, str) for item in found):
        raise ConfigurationError(f"{path}: watch.organizations: should be a list of names")
    return found


# --- edits -----------------------------------------------------------------------------------------------------------


def _add(listed: Array, name: str) -> str | None:
    names = [str(item) for item in listed]
    without = next((item for item in names if item.lower() == f"{WITHOUT}{name}".lower()), None)
    if without is not None:
        _drop(listed, without)
        names.remove(without)
    members, tracked = _lower(expand_presets([name])), _lower(expand_presets(names))
    if name.lower() in _lower(names) or members <= tracked:
        return f"{name}: tracked again" if without else f"{name}: is tracked already"
    _append(listed, name)
    return f"{name}: tracked from now on; what is there already stays silent"


def _remove(listed: Array, name: str) -> str | None:
    names = [str(item) for item in listed]
    for item in [item for item in names if item.lower() == name.lower()]:
        _drop(listed, item)
    left = [str(item) for item in listed]
    if name.lower() in _lower(expand_presets(left)):
        _append(listed, f"{WITHOUT}{name}")
        return f"{name}: a preset brings it; written as {WITHOUT}{name}"
    return f"{name}: not tracked any more" if left != names else f"{name}: was not tracked"


def _lower(names: Iterable[str]) -> set[str]:
    return {name.lower() for name in names}


def _append(listed: Array, name: str) -> None:
    """One item more, in the layout the list has: on a line of its own where the others are."""
    text = listed.as_string()
    if "\n" not in text:
        listed.append(name)
        return
    lines = [line for line in text.splitlines()[1:] if line.strip() and not line.strip().startswith("]")]
    indent = lines[-1][: len(lines[-1]) - len(lines[-1].lstrip())] if lines else "    "
    listed.add_line(name, indent=indent, newline=True)


def _drop(listed: Array, name: str) -> None:
    listed.pop([str(item) for item in listed].index(name))


def _write(path: Path, text: str) -> None:
    """Whole or not at all, with the file's rights, through a link to where it leads."""
    target = path.resolve()
    try:
        write_whole(target, text.encode("utf-8"), mode=target.stat().st_mode & 0o7777)
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be written: {error.strerror}; check its folder's rights") from None
