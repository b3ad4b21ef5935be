"""Why a rule posted, or why it did not: what it read, what it evaluated, and what came of it. Pure."""
