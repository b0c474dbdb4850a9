"""What members want, could get and could carry: homes, loans, transport."""
