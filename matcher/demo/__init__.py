"""The rehearsal: one whole search on real input, over real SMTP, with everything in this process."""
