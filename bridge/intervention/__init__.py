"""What people do about entries that wait for them: by cause, foreseen, carried out, and when they wait too long."""
