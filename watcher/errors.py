"""The tree of errors a user can meet; each names the thing that is wrong and the remedy.

    WatcherError                 something failed                                   exit code 1
    ├── ConfigurationError       wrong usage, config.toml, environment or secret    exit code 2
    ├── HubError                 a request to the Hub did not bring an answer       (watcher.hub.model)
    ├── SourceError              a SOURCE cannot be read (folder, file, repo id)
    │   └── UsageError           it is no SOURCE, or no fact, at all                exit code 2
    ├── StoreError               the store cannot be opened, is locked, full or newer than this program
    │   └── StoreTaken           another watcher runs on it
    └── DeliveryError            a message did not arrive                           (watcher.publish.interface)

Messages are one line, carry no secret, and are printed as they are: no traceback for a user's mistake.
"""

from __future__ import annotations


class WatcherError(Exception):
    """Something failed; the message says what and what to do."""

    exit_code = 1


class ConfigurationError(WatcherError):
    """Wrong usage or configuration: the message names the key, the value and what is allowed."""

    exit_code = 2


class SourceError(WatcherError):
    """A SOURCE given to a command cannot be read."""


class UsageError(SourceError):
    """What was given is no SOURCE and no fact at all: wrong usage."""

    exit_code = 2


class StoreError(WatcherError):
    """The store cannot be opened or written."""


class StoreTaken(StoreError):
    """Another instance holds the store's lock."""
