"""Pages and API: parse, call one use case, answer. No rule and no SQL lives here."""
