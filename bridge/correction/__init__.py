"""Facts that were posted or held and turn out otherwise: what is proposed for them, and which order they are given."""
