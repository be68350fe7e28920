"""What a process of ours asks of the system before it does anything."""

import os
import resource


def prepare() -> None:
    """Files for their owner alone, no memory left on the disk, as many connections as the system grants."""
    # The database and what a command writes may tell of patients; other users of the machine are strangers.
    os.umask(0o077)
    # A core holds every record and key that was open when the process died.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
