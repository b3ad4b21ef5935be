"""Facts that come again with other content after they were posted: what differs, and what is proposed for it."""
