"""Everything that can be set: settings, the database engine, logging."""
