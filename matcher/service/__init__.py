"""Use cases: one transaction each. Lock, step, save, journal, enqueue; never a page, never a rule."""
