"""The protocol played over a made year: the very same pure rules, made doctors, made patients, made time.

Nothing here writes anywhere, opens a database or knows a real person. ``terrain`` alone reads files, those
of a territory's folder; ``docs/simulation.md`` says what is assumed, from which source, and what came out.
"""
