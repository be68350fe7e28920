"""Finding a médecin traitant: the protocol, its records, its storage and its pages."""
