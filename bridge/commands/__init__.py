"""The commands of `uns-bridge`, one module each. A command prints for people, or JSON with `--json`."""
