"""The short configuration that `watcher init` writes to start from."""

from __future__ import annotations

from pathlib import Path

from watcher.errors import ConfigurationError

TEXT = """\
# Model Release Watcher. All keys, commented: config.example.toml in the project.
# Durations: 30s 5m 6h 2d. Secrets: "env:NAME" or "file:PATH".

[hub]
token = "env:HF_TOKEN"                   # optional: doubles the rate limit and opens gated repos you were granted

[watch]
organizations = ["preset:frontier-labs"] # names on the Hub; `preset:…` is a shipped list
exclude = ["*-GGUF"]                     # patterns over org/name
interval = "5m"
settle = "20m"                           # a release goes out when it was quiet this long

[store]
url = "sqlite:///watcher.db"

[reports]
directory = "reports"                    # a page per release, with its sketch
public_url = ""                          # where that folder is published, if it is

# [[channels]]
# name = "research"
# type = "slack"                         # or discord, teams, telegram, email, git …: see config.example.toml
# url = "env:SLACK_WEBHOOK_URL"
# min_significance = "structural"        # cosmetic, scale, structural, breaking
"""


def write_starter(path: Path, *, force: bool = False) -> None:
    """Write the starter; ConfigurationError when the file is there already or cannot be written."""
    try:
        with open(path, "w" if force else "x", encoding="utf-8") as handle:
            handle.write(TEXT)
    except FileExistsError:
        raise ConfigurationError(f"{path} exists already; edit it, or write over it with --force") from None
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}") from None
