"""`python -m watcher.hub.standin FOLDER [PORT]`: serve a folder of models as the Hub would."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from watcher.hub.standin.server import Standin


def main() -> int:
    """Serve until interrupted."""
    if not 2 <= len(sys.argv) <= 3 or not Path(sys.argv[1]).is_dir():
        sys.stderr.write("usage: python -m watcher.hub.standin FOLDER [PORT]\n")
        return 2
    port = int(sys.argv[2]) if len(sys.argv) == 3 else 0
    with Standin.from_folder(Path(sys.argv[1]), port=port) as standin:
        sys.stdout.write(f"HF_ENDPOINT={standin.url} ({len(standin.world.repos)} repos; Ctrl-C ends)\n")
        sys.stdout.flush()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
