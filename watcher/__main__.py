"""`python -m watcher` is the same as `watcher`."""

import sys

from watcher.cli import main

sys.exit(main())
